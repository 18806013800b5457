-- search_sources: every source, what the caller may do with it, and where pgvector lives. No parameters.
-- Runs with the caller's search_path, so every function, operator and type is written with its schema: `in`, `nullif`,
-- `between` and `case x when y` are not used, because they look their operator up by its bare name.
-- rows: the columns of strata.source that search needs, dimensions int4, has_table bool, gone text (a column that does not
-- exist, null: none), misfit text, misfit_is text, misfit_should text (a column whose type cannot play its role, its type,
-- and what it should be; null: none), hidden_is_time bool, json text[] (columns whose value need not fit into a jsonb),
-- key_type text, tenant_type text, organisation_type text ('uuid', 'number' or 'text'; null where there is no such column),
-- readable bool (every column that search needs), row_security bool (it decides what the caller finds),
-- store text (the table that keeps the vectors; null: the source's own), store_half bool (numbers of two bytes), has_store bool, chunked bool (a row may
-- have several vectors in it), store_indexed uuid[] (the tenants who have a valid HNSW index of their own on it), has_vectors bool (the application's own table of embeddings is there, where one is named), one_row bool
-- (a unique index is on the key), one_vector bool (a row can have one embedding at most in that table),
-- config text (the number of the text search configuration; null: there is none, or it is gone),
-- vector oid (the type), vector_schema text, read_from oid[] (the relations that this was read from); in the order in which
-- equally similar rows are returned
select s.entity_type, s.relation_schema, s.relation_name, s.key_column, s.tenant_column, s.title_column,
       s.content_columns, s.created_at_column, s.metadata_columns, s.vector_column, s.hidden_column, s.text_search_config, s.text_search_column, w.config,
       s.organisation_column, s.vectors_schema, s.vectors_name, s.vectors_key_column, s.vectors_type_column,
       needed.key_type, needed.tenant_type, needed.organisation_type,
       s.model, m.dimensions,
       s.store, coalesce(d.half, false) as store_half, coalesce(d.indexed, '{}') as store_indexed, s.store is null or d.oid is not null as has_store, s.vectors_name is null or e.oid is not null as has_vectors, s.chunked and s.store is not null as chunked,
       r.oid is not null as has_table,
       needed.gone, needed.misfit, needed.misfit_is, needed.misfit_should,
       exists (select from pg_catalog.pg_index i
               where i.indrelid operator(pg_catalog.=) r.oid and i.indisunique and i.indisvalid and i.indpred is null
                 and i.indnkeyatts operator(pg_catalog.=) 1 and i.indkey[0] operator(pg_catalog.=) needed.keys[1]) as one_row,
       e.oid is null or exists (
           select from pg_catalog.pg_index i
           where i.indrelid operator(pg_catalog.=) e.oid and i.indisunique and i.indisvalid and i.indpred is null
             and (i.indkey::pg_catalog.int2[])[0:i.indnkeyatts operator(pg_catalog.-) 1] operator(pg_catalog.<@) needed.beside) as one_vector,
       coalesce(needed.hidden_is_time, false) as hidden_is_time, coalesce(needed.json, '{}') as json,
       coalesce(needed.readable and pg_catalog.has_schema_privilege(r.relnamespace, 'usage')
                and coalesce(pg_catalog.has_schema_privilege(e.relnamespace, 'usage'), true)
                and (d.oid is null or pg_catalog.has_table_privilege(d.oid, 'select')
                                      and pg_catalog.has_schema_privilege(d.relnamespace, 'usage')), false) as readable,
       coalesce(pg_catalog.row_security_active(r.oid), false) or coalesce(pg_catalog.row_security_active(e.oid), false) as row_security,
       v.type as vector, v.schema as vector_schema,
       pg_catalog.array_remove(array['strata.source'::pg_catalog.regclass, 'strata.model'::pg_catalog.regclass, r.oid, d.oid, e.oid], null)::pg_catalog.oid[] as read_from
from strata.source s
join strata.model m on m.name operator(pg_catalog.=) s.model
cross join (
    select t.oid as type, n.nspname::pg_catalog.text as schema
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) e.extnamespace
    join pg_catalog.pg_type t
      on t.typnamespace operator(pg_catalog.=) e.extnamespace and t.typname operator(pg_catalog.=) 'vector'
    where e.extname operator(pg_catalog.=) 'vector'
) v
-- `limit 1` keeps it a look-up by name, however many tables there are.
left join lateral (
    select c.oid, c.relnamespace
    from pg_catalog.pg_class c
    where c.relname operator(pg_catalog.=) s.relation_name::pg_catalog.name
      and c.relnamespace operator(pg_catalog.=) (
          select n.oid from pg_catalog.pg_namespace n
          where n.nspname operator(pg_catalog.=) s.relation_schema::pg_catalog.name)
    limit 1
) r on true
left join lateral (
    select c.oid, c.relnamespace, (
               select y.typname operator(pg_catalog.=) 'halfvec'
               from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid operator(pg_catalog.=) a.atttypid
               where a.attrelid operator(pg_catalog.=) c.oid and a.attname operator(pg_catalog.=) 'embedding') as half, (
               select pg_catalog.array_agg(x.tenant) from strata.indexed_tenants(c.oid) x where x.is_valid) as indexed
    from pg_catalog.pg_class c
    where c.relname operator(pg_catalog.=) s.store::pg_catalog.name
      and c.relnamespace operator(pg_catalog.=) (
          select n.oid from pg_catalog.pg_namespace n where n.nspname operator(pg_catalog.=) 'strata_vectors')
    limit 1
) d on true
left join lateral (
    select c.oid, c.relnamespace
    from pg_catalog.pg_class c
    where c.relname operator(pg_catalog.=) s.vectors_name::pg_catalog.name
      and c.relnamespace operator(pg_catalog.=) (
          select n.oid from pg_catalog.pg_namespace n
          where n.nspname operator(pg_catalog.=) s.vectors_schema::pg_catalog.name)
    limit 1
) e on true
left join lateral (
    select pg_catalog.min(c.shown) filter (where c.attnum is null) as gone,
           pg_catalog.bool_and(pg_catalog.has_column_privilege(c.relation, c.attnum, 'select')) as readable,
           (pg_catalog.array_agg(c.shown) filter (where not c.fits))[1] as misfit,
           (pg_catalog.array_agg(c.type) filter (where not c.fits))[1] as misfit_is,
           (pg_catalog.array_agg(c.role) filter (where not c.fits))[1] as misfit_should,
           pg_catalog.bool_or(c.is_time) filter (where c.role operator(pg_catalog.=) 'boolean or timestamptz') as hidden_is_time,
           pg_catalog.array_agg(c.name) filter (where c.is_json) as json,
           pg_catalog.array_agg(c.attnum) filter (where c.place operator(pg_catalog.=) 1) as keys,
           pg_catalog.array_agg(c.attnum) filter (where c.place operator(pg_catalog.=) any (array[4, 5])) as beside,
           pg_catalog.min(c.key_type) filter (where c.place operator(pg_catalog.=) 1) as key_type,
           pg_catalog.min(c.key_type) filter (where c.place operator(pg_catalog.=) 2) as tenant_type,
           pg_catalog.min(c.key_type) filter (where c.place operator(pg_catalog.=) 3) as organisation_type
    from (
        select k.name, k.role, k.place,
               case when k.place operator(pg_catalog.>) 3 and s.vectors_name is not null
                    then pg_catalog.format('%s.%s', s.vectors_name, k.name) else k.name end as shown,
               k.relation, k.attnum, k.is_time, k.is_json, k.key_type,
               pg_catalog.format_type(k.atttypid, k.atttypmod) as type,
               case when k.attnum is null or k.role operator(pg_catalog.=) 'any' then true
                    when k.role operator(pg_catalog.=) 'uuid' then k.base operator(pg_catalog.=) 'pg_catalog.uuid'::pg_catalog.regtype
                    when k.role operator(pg_catalog.=) 'bigint' then coalesce(k.key_type operator(pg_catalog.=) 'number', false)
                    when k.role operator(pg_catalog.=) 'text' then coalesce(k.key_type operator(pg_catalog.=) 'text', false)
                    when k.role operator(pg_catalog.=) 'uuid, bigint or text' then k.key_type is not null
                    when k.role operator(pg_catalog.=) 'timestamptz' then k.is_time
                    when k.role operator(pg_catalog.=) 'tsvector' then k.base operator(pg_catalog.=) 'pg_catalog.tsvector'::pg_catalog.regtype
                    when k.role operator(pg_catalog.=) 'boolean or timestamptz'
                    then k.is_time or k.base operator(pg_catalog.=) 'pg_catalog.bool'::pg_catalog.regtype
                    else k.atttypid operator(pg_catalog.=) v.type and k.atttypmod operator(pg_catalog.=) m.dimensions
               end as fits
        from (
            select u.name, u.role, u.place, u.relation, a.attnum, a.atttypid, a.atttypmod, b.base,
                   case when b.base operator(pg_catalog.=) 'pg_catalog.uuid'::pg_catalog.regtype then 'uuid'
                        when b.base operator(pg_catalog.=) any (array['pg_catalog.int8', 'pg_catalog.int4',
                                                                      'pg_catalog.int2']::pg_catalog.regtype[]) then 'number'
                        when b.base operator(pg_catalog.=) any (array['pg_catalog.text', 'pg_catalog.varchar']::pg_catalog.regtype[])
                        then 'text' end as key_type,
                   b.base operator(pg_catalog.=) any (array['pg_catalog.timestamptz', 'pg_catalog.timestamp',
                                                            'pg_catalog.date']::pg_catalog.regtype[]) as is_time,
                   b.base operator(pg_catalog.=) 'pg_catalog.json'::pg_catalog.regtype
                       or t.typcategory operator(pg_catalog.=) any (array['A', 'C']::pg_catalog."char"[]) as is_json
            from (
                select w.name, 'any'::pg_catalog.text, 0, r.oid
                from pg_catalog.unnest(s.content_columns operator(pg_catalog.||) s.metadata_columns) w(name)
                union all
                select w.name, w.role, w.place, case when w.place operator(pg_catalog.>) 3 and s.vectors_name is not null then e.oid else r.oid end
                from (values (s.title_column, 'any', 0), (s.key_column, case when s.queued then s.key_type else 'uuid, bigint or text' end, 1),
                             (s.tenant_column, case when s.store is null then 'uuid, bigint or text' else 'uuid' end, 2), (s.organisation_column, 'uuid, bigint or text', 3),
                             (s.vectors_key_column, 'any', 4), (s.vectors_type_column, 'any', 5),
                             (s.created_at_column, 'timestamptz', 0), (s.hidden_column, 'boolean or timestamptz', 0),
                             (s.text_search_column, 'tsvector', 0),
                             (s.vector_column, pg_catalog.format('vector(%s)', m.dimensions), 6)) w(name, role, place)
                where w.name is not null
            ) u(name, role, place, relation)
            left join pg_catalog.pg_attribute a
                   on a.attrelid operator(pg_catalog.=) u.relation and a.attname operator(pg_catalog.=) u.name::pg_catalog.name
                  and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
            -- The same for types, of which there are hundreds.
            left join lateral (
                select y.oid, y.typtype, y.typbasetype, y.typcategory
                from pg_catalog.pg_type y where y.oid operator(pg_catalog.=) a.atttypid limit 1
            ) t on true
            cross join lateral (
                select case when t.typtype operator(pg_catalog.=) 'd' then t.typbasetype else t.oid end
            ) b(base)
        ) k
    ) c
) needed on true
left join lateral (
    select f.oid::pg_catalog.text as config
    from pg_catalog.pg_ts_config f
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) f.cfgnamespace
    where s.text_search_config is not null
      and pg_catalog.format('%I.%I', n.nspname, f.cfgname) operator(pg_catalog.=) s.text_search_config
    limit 1
) w on true
order by s.entity_type
