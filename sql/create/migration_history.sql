-- migration_history: one row per attempt, in the columns that migration guides and dashboards expect.
create view strata.migration_history with (security_invoker = true) as
select s.id,
       s.pack,
       s.version,
       s.name as description,
       s.direction,
       s.at as applied_at,
       s.by as applied_by,
       (extract(epoch from e.at - s.at) * 1000)::int as execution_time_ms,
       case e.event when 'succeeded' then true when 'failed' then false end as success,
       e.sqlstate,
       e.message as error_message
from strata.history s
left join lateral (
    select h.at, h.event, h.sqlstate, h.message
    from strata.history h
    where h.pack = s.pack and h.version = s.version and h.direction = s.direction
      and h.run is not distinct from s.run and h.attempt is not distinct from s.attempt
      and h.id > s.id and h.event <> 'started'
    order by h.id
    limit 1
) e on true
where s.event = 'started';
