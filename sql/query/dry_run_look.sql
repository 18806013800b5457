-- dry_run_look: what this session has come to, asked after each statement of a dry run: the server's clock, the transaction
-- (another one, or none: something has ended it), whether a procedure of strata's did less than it would ('partial'), and
-- every relation lock that it holds.
-- rows: kind text ('now': clock in milliseconds, transaction, part; 'lock': oid, mode), then three texts
select 'now', (extract(epoch from clock_timestamp()) * 1000::numeric)::bigint::text, pg_current_xact_id_if_assigned()::text,
       current_setting('strata.dry_run', true)
union all
select 'lock', l.relation::text, l.mode, null
from pg_catalog.pg_locks l
where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted and l.mode <> 'AccessShareLock'
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
