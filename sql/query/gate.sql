-- gate: how each item of a phase stands, measured now.
-- $1 text pack   $2 int8 phase
-- rows: item, kind, state, detail; all text
select i.item, i.kind, s.state, s.detail
from strata.checklist_items($1::text) i
cross join lateral strata.item_state($1::text, i.item, false) s
where i.phase = $2::int8
