-- phase_status: every phase of a pack and its gate; none where the pack is unknown.
-- $1 text pack
-- rows: phase, name, days, versions, applied, gate, missing; all text
select s.phase::text, s.name, s.days, s.versions::text, s.applied::text, s.gate, s.missing
from strata.pack p, strata.phase_status(p.name) s
where p.name = $1::text
