-- golang_table: golang-migrate's table where the search path finds it. Works before anything of ours is installed.
-- rows: its name as SQL writes it, text; none where there is none
select c.oid::regclass::text
from pg_catalog.pg_class c
where c.oid = pg_catalog.to_regclass('schema_migrations')::oid and c.relkind = 'r'
  and (select pg_catalog.string_agg(a.attname::text || ' ' || a.atttypid::regtype::text, ', ' order by a.attname)
       from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0::int2 and not a.attisdropped)
      = 'dirty boolean, version bigint'
