-- index_leftovers: what a broken `reindex concurrently` of ours left behind: invalid, called as Postgres calls what it
-- builds or replaces, younger than our intent, and nobody is at work on its table.
-- $1 text what was reindexed: index, table, schema, database   $2 text its name, as written
-- $3 text transaction of the intent
-- rows: name text
with wanted as (
    select c.oid
    from pg_catalog.pg_class c
    where case $1::text
          when 'index' then c.oid = (select i.indrelid from pg_catalog.pg_index i where i.indexrelid = to_regclass($2::text)::oid)
          when 'table' then c.oid in (select t.relid::oid from pg_partition_tree(to_regclass($2::text)) t)
                            or c.oid = to_regclass($2::text)::oid
          when 'schema' then c.relnamespace = to_regnamespace($2::text)::oid
          else true end
      and c.relkind in ('r', 'm', 'p')
), relation as (
    select w.oid from wanted w
    union
    select c.reltoastrelid from wanted w join pg_catalog.pg_class c on c.oid = w.oid
), old as (
    select c.relname from pg_catalog.pg_class c where $1::text = 'index' and c.oid = to_regclass($2::text)::oid
)
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from relation r
join pg_catalog.pg_index i on i.indrelid = r.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid
  and c.relname::text ~ '_cc(new|old)[0-9]*$'
  and age(c.xmin) <= age($3::text::xid)
  and ($1::text <> 'index' or exists (
      -- A long name is cut to make room.
      select from old o, regexp_replace(c.relname::text, '_cc(new|old)[0-9]*$', '') stem
      where stem = o.relname::text or octet_length(c.relname::text) > 60 and starts_with(o.relname::text, stem)))
  and not exists (
      select from pg_catalog.pg_stat_progress_create_index p
      join pg_catalog.pg_locks l on l.pid = p.pid and l.relation = i.indrelid and l.granted
                                and l.mode = 'ShareUpdateExclusiveLock'
      where p.pid <> pg_backend_pid())
order by 1
