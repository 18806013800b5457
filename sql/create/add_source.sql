-- add_source: makes a table searchable. From then on every change of its texts queues a job; what is there already is
-- found by strata.enqueue_missing. Reads and checks everything before it changes anything. The table must have a unique
-- index on the key alone, and the caller the right to put triggers on it. Rows whose hidden column says so are kept up to
-- date like the others and found by no search. Jobs are queued where the embedding stands in the row or in a store; those that
-- have a table of their own are the application's to write.
-- store: 'halfvec' or 'vector' where vector_column is null: the vectors are kept in a narrow table of ours, as numbers of
-- two bytes or of four; the tenant is a uuid, and embedded_at_column, which tells the rows that have one, is needed.
-- Raises 22004 (a null), 22023 (a value that cannot be), 42809 (not a table), 42703 and 42804 (a column), 42P10 (the key
-- is not unique), 22000 (dimension of column and model differ), 42704 (no such model), 42710 (registered already), 55000 (the
-- model is being changed).
create function strata.add_source(
    entity_type text, relation regclass, key_column text, tenant_column text, title_column text,
    content_columns text[], vector_column text, model text, created_at_column text default 'created_at',
    metadata_columns text[] default '{}', model_column text default null, embedded_at_column text default null,
    hidden_column text default null, text_search_config regconfig default null, text_search_column text default null,
    store text default null, organisation_column text default null, vector_relation regclass default null,
    vector_key_column text default null, vector_type_column text default null
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    other text;
begin
    if entity_type is null or relation is null or key_column is null or tenant_column is null
       or content_columns is null or coalesce(vector_column, store) is null or created_at_column is null
       or metadata_columns is null then
        raise exception 'a source needs an entity type, a table, a key, a tenant, content, a vector and a date'
            using errcode = '22004';
    elsif store is not null and num_nonnulls(vector_column, vector_relation) > 0 then
        raise exception 'a source keeps its vectors in a column or in a store, not in both' using errcode = '22023',
            hint = 'pass null for vector_column and vector_relation, or for store';
    elsif store is not null and embedded_at_column is null then
        raise exception 'a source with a store needs an embedded_at_column' using errcode = '22004',
            hint = 'add a timestamptz column without a default; it tells which rows have a vector';
    elsif entity_type = '' or octet_length(entity_type) > 40 then
        raise exception 'entity type "%" must have 1 to 40 bytes', entity_type using errcode = '22023';
    elsif cardinality(array_remove(content_columns || title_column, null)) = 0 then
        raise exception 'source "%" has neither a title nor a content column', entity_type using errcode = '22023';
    elsif exists (select from strata.source s where s.entity_type = add_source.entity_type) then
        raise exception 'source "%" is registered already', entity_type
            using errcode = '42710', hint = format('call strata.drop_source(%L) first', entity_type);
    end if;
    if exists (select from strata.model_change c where model in (c.from_model, c.to_model)) then
        raise exception 'model "%" is being changed', model
            using errcode = '55000', hint = 'call strata.end_model_change first; strata.model_changes() tells how far it is';
    end if;
    select s.entity_type into other
    from strata.source s join pg_class c on c.relname = s.relation_name join pg_namespace n on n.oid = c.relnamespace
    where c.oid = relation and n.nspname = s.relation_schema and s.vector_column = add_source.vector_column;
    if found then
        raise exception 'source "%" has the vectors of column "%" already', other, vector_column using errcode = '42710',
            hint = format('name another column, or call strata.drop_source(%L) first', other);
    end if;
    perform strata.require_key(relation, key_column);
    perform strata.require_column(relation, tenant_column, 'key');
    perform strata.require_column(relation, organisation_column, 'key');
    perform strata.require_column(relation, created_at_column, 'time');
    perform strata.require_column(relation, model_column, 'text');
    perform strata.require_column(relation, embedded_at_column, 'time');
    perform strata.require_column(relation, hidden_column, 'hidden');
    perform strata.require_column(relation, u.name, 'text') from unnest(content_columns || title_column) u(name);
    perform strata.require_column(relation, u.name, 'any') from unnest(metadata_columns) u(name);
    perform strata.require_vectors_table(relation, key_column, vector_relation, vector_key_column, vector_type_column);
    if store is null then
        perform strata.require_vector_column(coalesce(vector_relation, relation), vector_column, model);
    elsif not exists (select from strata.model m where m.name = add_source.model) then
        raise exception 'model "%" does not exist', coalesce(model, 'null')
            using errcode = '42704', hint = 'call strata.add_model first';
    else
        perform strata.require_column(relation, tenant_column, 'uuid');
    end if;

    insert into strata.source
        (entity_type, relation_schema, relation_name, key_column, tenant_column, title_column, content_columns,
         created_at_column, metadata_columns, vector_column, model_column, embedded_at_column, hidden_column, model, store,
         organisation_column, vectors_schema, vectors_name, vectors_key_column, vectors_type_column, queued, key_type)
    select entity_type, n.nspname, c.relname, key_column, tenant_column, title_column, array_remove(content_columns, null),
           created_at_column, array_remove(metadata_columns, null), vector_column, model_column, embedded_at_column,
           hidden_column, model, case when store is not null then strata.make_store(model, store) end,
           organisation_column, vn.nspname, v.relname, vector_key_column, vector_type_column,
           vector_relation is null, strata.key_type(relation, key_column)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_class v on v.oid = vector_relation left join pg_namespace vn on vn.oid = v.relnamespace
    where c.oid = relation
    on conflict do nothing;
    if not found then
        raise exception 'source "%" was registered meanwhile', entity_type
            using errcode = '42710', hint = 'look into strata.sources()';
    end if;
    perform strata.set_text_search(entity_type, text_search_config, text_search_column);
    if (select s.queued from strata.source s where s.entity_type = add_source.entity_type) then
        perform strata.watch_source(entity_type, relation);
    end if;
    if store is not null then
        perform strata.follow_source(entity_type, relation);
    end if;
end
$$;
revoke execute on function strata.add_source from public;
