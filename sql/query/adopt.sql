-- adopt: takes over what another tool has applied, and keeps its table in step from now on. The pack is registered.
-- $1 text pack   $2 text kind   $3 text schema   $4 text table   $5 jsonb versions, an array
with bound as materialized (
    select strata.bind_ledger($1::text, $2::text, $3::text, $4::text)
), marked as (
    update strata.migration m
    set state = 'applied', applied_at = clock_timestamp()
    where m.pack = $1::text and m.state = 'pending' and (select count(*) from bound) = 1
      and m.version in (select v::bigint from jsonb_array_elements_text($5::jsonb) v)
    returning m.version, m.name
)
insert into strata.history (pack, version, name, direction, event, message)
select $1::text, k.version, k.name, 'up', 'adopted', format('%I.%I', $3::text, $4::text)
from marked k
order by k.version
