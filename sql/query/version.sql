-- version: how far a pack has come.
-- $1 text pack
-- rows: newest version that is applied or half-way, text or null; whether one is half-way, text
select max(m.version) filter (where m.state <> 'pending')::text,
       coalesce(bool_or(m.state in ('applying', 'reverting')), false)::text
from strata.migration m
where m.pack = $1::text
