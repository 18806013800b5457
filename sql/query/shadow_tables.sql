-- shadow_tables: tables whose rows a shadow needs: strata's own, but for queues, logs and files; and the ledgers of other
-- migration tools. In the order in which they were made, so that references find what they refer to.
-- $1 text a further table, or null
-- rows: table text
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r'
  and (n.nspname = 'strata' and c.relname not in ('job', 'run_event', 'pack_file')
       and exists (select from pg_catalog.pg_depend d
                   where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e')
       or c.relname = 'schema_migrations' or c.oid = pg_catalog.to_regclass($1::text)::oid)
order by c.oid
