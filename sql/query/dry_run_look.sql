-- dry_run_look: what this session has come to, asked after each statement of a dry run: the server's clock, the transaction
-- (another one, or none: something has ended it), and every relation lock that it holds.
-- rows: kind text ('now': clock in milliseconds, transaction; 'lock': oid, mode), then two texts
select 'now', (extract(epoch from clock_timestamp()) * 1000)::bigint::text, pg_current_xact_id_if_assigned()::text
union all
select 'lock', l.relation::text, l.mode
from pg_catalog.pg_locks l
where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted and l.mode <> 'AccessShareLock'
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
