-- checklist: what must hold before each phase of a pack, as strata.checklist tells it.
-- $1 text pack
-- rows: item, phase, phase_name, kind, state, detail, signed_by, signed_at; all text
select c.item, c.phase::text, c.phase_name, c.kind, c.state, c.detail, c.signed_by,
       to_char(c.signed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')
from strata.checklist($1::text) c
