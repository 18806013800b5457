-- preflight: what a run in the database needs besides the server's versions.
-- $1 text pack
-- rows: check_name, expected, actual, ok; all text
with free as (
    select current_setting('max_worker_processes')::int8 - pg_catalog.count(*) as workers
    from pg_catalog.pg_stat_activity a
    where a.backend_type not in (
        'client backend', 'autovacuum launcher', 'autovacuum worker', 'walsender', 'walreceiver', 'checkpointer',
        'background writer', 'walwriter', 'startup', 'archiver', 'walsummarizer', 'slotsync worker', 'io worker',
        'standalone backend')
)
select 'writable', 'not a standby', case when pg_is_in_recovery() then 'a standby' else 'not a standby' end,
       (not pg_is_in_recovery())::text
union all
select 'background workers', '1 or more free', workers::text || ' free', (workers > 0::int8)::text from free
union all
select 'lock', 'free', coalesce('held by pid ' || l.pid::text, 'free'), (l.pid is null)::text
from (select) one
left join pg_catalog.pg_locks l
    on l.locktype = 'advisory' and l.granted and l.objsubid = 1::int2 and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
    and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('strata/' || $1::text, 0::int8)
