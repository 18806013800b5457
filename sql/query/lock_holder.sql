-- lock_holder: who holds the lock of a pack.
-- $1 text pack
-- rows: pid text, who text
select a.pid::text, pg_catalog.concat_ws(' ', a.usename, a.application_name, host(a.client_addr))
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1::int2
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
  and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('strata/' || $1::text, 0::int8)
