-- sources: what is searched, a row for each source, and what is wrong with it: its table or a column is gone, the vector
-- column no longer fits the model, no unique index is on the key or on the embeddings of a row, its text search configuration
-- is gone, or the triggers that queue its changes are not on the table (which was swapped for
-- another, or had them disabled). fault null: nothing. tenant_index: an index that begins with the tenant; null: there is
-- none, and every search reads the whole table. text_index: one on the words, where they are searched.
create function strata.sources()
returns table (
    entity_type text, relation text, model text, dimensions int, tenant_column text, vector_column text,
    hidden_column text, tenant_index text, text_search_config text, text_index text, fault text
)
language sql set search_path = pg_catalog, pg_temp as $$
    select s.entity_type, format('%I.%I', s.relation_schema, s.relation_name), s.model, m.dimensions, s.tenant_column,
           s.vector_column, s.hidden_column, i.name, s.text_search_config, strata.text_index(s.entity_type),
           case when r.oid is null then 'the table does not exist'
                when e.oid is null then format('the table %I.%I of its embeddings does not exist', s.vectors_schema, s.vectors_name)
                when c.gone is not null then format('column "%s" does not exist', c.gone)
                when v.type <> format('vector(%s)', m.dimensions)
                then format('column "%s" is of type %s, not vector(%s)', s.vector_column, v.type, m.dimensions)
                when s.store is not null and to_regclass(format('strata_vectors.%I', s.store)) is null
                then format('table strata_vectors.%I does not exist', s.store)
                when not exists (
                    select from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
                    where x.indrelid = r.oid and a.attname = s.key_column
                      and x.indisunique and x.indisvalid and x.indnkeyatts = 1 and x.indpred is null)
                then format('column "%s" is not unique', s.key_column)
                when s.vectors_name is not null and not exists (
                    select from pg_index x
                    where x.indrelid = e.oid and x.indisunique and x.indisvalid and x.indpred is null
                      and (select array_agg(a.attname::text) from pg_attribute a
                           where a.attrelid = e.oid and a.attnum = any ((x.indkey::int2[])[0:x.indnkeyatts - 1]))
                          <@ array[s.vectors_key_column, s.vectors_type_column])
                then format('a row can have several embeddings in %I.%I', s.vectors_schema, s.vectors_name)
                when s.text_search_config is not null and not exists (
                    select from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace
                    where format('%I.%I', n.nspname, f.cfgname) = s.text_search_config)
                then format('text search configuration %s does not exist', s.text_search_config)
                when s.queued and w.triggers < 4 then 'the table is not watched: changes of its texts queue no job' end
    from strata.source s
    join strata.model m on m.name = s.model
    left join lateral (select to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) as oid) r on true
    left join lateral (
        select case when s.vectors_name is null then r.oid
                    else to_regclass(format('%I.%I', s.vectors_schema, s.vectors_name)) end as oid
    ) e on true
    left join lateral (
        select min(u.name) as gone
        from (
            select n.name, r.oid
            from unnest(s.content_columns || s.metadata_columns
                        || array[s.key_column, s.tenant_column, s.title_column, s.created_at_column, s.organisation_column,
                                 s.hidden_column, s.text_search_column, s.model_column, s.embedded_at_column]) n(name)
            union all
            select n.name, e.oid from unnest(array[s.vector_column, s.vectors_key_column, s.vectors_type_column]) n(name)
        ) u(name, relation)
        where u.name is not null
          and not exists (select from pg_attribute a
                          where a.attrelid = u.relation and a.attname = u.name and a.attnum > 0 and not a.attisdropped)
    ) c on true
    left join lateral (
        select regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*\.', '') as type from pg_attribute a
        where a.attrelid = e.oid and a.attname = s.vector_column and a.attnum > 0 and not a.attisdropped
    ) v on true
    left join lateral (
        select count(*) as triggers from pg_trigger t
        where t.tgrelid = r.oid and t.tgenabled <> 'D'
          and (t.tgfoid = to_regprocedure(strata.watcher_name(s.entity_type)) or strata.watches_rows_of(t, s.entity_type))
    ) w on true
    left join lateral (
        select x.indexrelid::regclass::text as name
        from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
        where x.indrelid = r.oid and a.attname = s.tenant_column and x.indisvalid and x.indpred is null
        order by x.indexrelid limit 1
    ) i on true
    order by s.entity_type
$$;
revoke execute on function strata.sources from public;
