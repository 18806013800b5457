-- search_sources: every source, what the caller may do with it, and where pgvector lives. No parameters.
-- rows: the columns of strata.source that search needs, dimensions int4, has_table bool, gone text (a column that does not
-- exist, null: none), readable bool (every column that search needs), row_security bool (it decides what the caller
-- finds), vector oid (the type), vector_schema text; in the order in which equally similar rows are returned
select s.entity_type, s.relation_schema, s.relation_name, s.key_column, s.tenant_column, s.title_column,
       s.content_columns, s.created_at_column, s.metadata_columns, s.vector_column, s.model, m.dimensions,
       r.oid is not null as has_table,
       needed.gone,
       coalesce(needed.readable and pg_catalog.has_schema_privilege(r.relnamespace, 'usage'), false) as readable,
       coalesce(pg_catalog.row_security_active(r.oid), false) as row_security,
       v.type as vector, v.schema as vector_schema
from strata.source s
join strata.model m on m.name = s.model
cross join (
    select t.oid as type, n.nspname::text as schema
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    join pg_catalog.pg_type t on t.typnamespace = e.extnamespace and t.typname = 'vector'
    where e.extname = 'vector'
) v
-- `limit 1` keeps it a look-up by name, however many tables there are.
left join lateral (
    select c.oid, c.relnamespace
    from pg_catalog.pg_class c
    where c.relname = s.relation_name::name
      and c.relnamespace = (select n.oid from pg_catalog.pg_namespace n where n.nspname = s.relation_schema::name)
    limit 1
) r on true
left join lateral (
    select pg_catalog.min(u.name) filter (where a.attnum is null) as gone,
           pg_catalog.bool_and(pg_catalog.has_column_privilege(r.oid, a.attnum, 'select')) as readable
    from pg_catalog.unnest(s.content_columns || s.metadata_columns
                           || array[s.key_column, s.tenant_column, s.title_column, s.created_at_column, s.vector_column]) u(name)
    left join pg_catalog.pg_attribute a
           on a.attrelid = r.oid and a.attname = u.name::name and a.attnum > 0 and not a.attisdropped
    where u.name is not null
) needed on true
order by s.entity_type
