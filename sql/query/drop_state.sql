-- drop_state: the pack stands at no version, and the table of another tool went with the others.
-- $1 text pack   $2 text reason
with gone as (
    delete from strata.ledger l where l.schema_name = current_schema() returning l.pack
)
select strata.force_version(p.name, 0, $2::text)::text
from strata.pack p
where p.name = $1::text and (select count(*) from gone) >= 0
