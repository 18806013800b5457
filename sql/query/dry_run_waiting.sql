-- dry_run_waiting: a session that has waited too long for a dry run. Asked from another session, again and again.
-- $1 int8 process of the dry run   $2 int8 milliseconds
-- rows: who text; none where nobody has
select pg_catalog.format('pid %s (%s), which waited %s ms for %s', a.pid, pg_catalog.concat_ws(', ', a.usename, nullif(a.application_name, '')),
              (extract(epoch from clock_timestamp() - l.waitstart) * 1000::numeric)::bigint,
              case when l.locktype = 'relation' then l.relation::regclass::text else 'a row' end)
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid = l.pid
where not l.granted and l.waitstart < clock_timestamp() - $2::int8::float8 * interval '1 ms'
  and $1::int8::int = any (pg_blocking_pids(l.pid))
order by l.waitstart
limit 1
