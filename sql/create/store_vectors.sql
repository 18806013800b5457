-- store_vectors: writes vectors into rows of a source, and the model and the time where the source keeps them; null for
-- all vectors takes them away. Answers the rows written. The triggers of the application see an ordinary update.
-- Where the source has no vector column, the vectors go into its store, brought to length 1, and only the model and the time
-- into its row, where it keeps them. keys: those of the rows as text, where there need be no jobs of them; then ids may be null. chunks: which part of its row's text each vector is of, from 0; null: of the whole.
-- The type vector is written with its schema, found by catalog at installation; the oid is what stays.
do $install$
begin
    execute format($sql$
create function strata.store_vectors(
    s strata.source, ids uuid[], vectors %I.vector[], chunks int[] default null, keys text[] default null
) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    given   text := case when s.vector_column is null then '$2' else 'g.vector is not null' end;
    columns text := case when s.vector_column is null then '' else format('%%I = g.vector', s.vector_column) end
        || case when s.model_column is null then '' else
           format(', %%I = case when %%s then %%L end', s.model_column, given, s.model) end
        || case when s.embedded_at_column is null then '' else
           format(', %%I = case when %%s then pg_catalog.clock_timestamp() end', s.embedded_at_column, given) end;
    known   text := case when keys is not null then '$3' end;
    written int;
begin
    ids := coalesce(ids, strata.ids_of(s, keys));
    perform set_config('search_path', strata.session_search_path(), true);
    columns := pg_catalog.ltrim(columns, ', ');
    if s.vector_column is null then
        perform strata.keep_vectors(s, ids, vectors, chunks, keys);
    end if;
    if columns operator(pg_catalog.=) '' then
        return (select pg_catalog.count(distinct u.id) from pg_catalog.unnest(ids) u(id));
    elsif s.vector_column is null then
        execute pg_catalog.format('update %%I.%%I r set %%s where %%s',
                                  s.relation_schema, s.relation_name, columns, strata.is_any_of(s, 'r', '$1', known))
            using ids, vectors is not null, keys;
        get diagnostics written = row_count;
        return written;
    end if;
    execute pg_catalog.format(
        'update %%I.%%I r set %%s from (select pg_catalog.unnest($1), pg_catalog.unnest($2)) g(id, vector)
         where %%s operator(pg_catalog.=) g.id%%s',
        s.relation_schema, s.relation_name, columns, strata.id_of(s, 'r'),
        case when s.key_type operator(pg_catalog.<>) 'uuid' then ' and ' operator(pg_catalog.||) strata.is_any_of(s, 'r', '$1', known) end)
        using ids, vectors, keys;
    get diagnostics written = row_count;
    return written;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.store_vectors from public;

-- keep_vectors: writes vectors of rows of a source into its store; null for all vectors takes them away. Parts that a row
-- had and that are not among them go. The type of the embedding is that of the table. In no order: who writes the vector of a
-- row holds the row.
do $install$
begin
    execute format($sql$
create function strata.keep_vectors(
    s strata.source, ids uuid[], vectors %1$I.vector[], chunks int[] default null, keys text[] default null
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    kept strata.vector_store;
begin
    select * into kept from strata.vector_store v where v.name = s.store;
    if vectors is null then
        execute format('delete from strata_vectors.%%I v where v.entity_type = $1 and v.entity_id = any ($2)', s.store)
            using s.entity_type, ids;
        return;
    elsif s.chunked then
        execute format(
            'delete from strata_vectors.%%I v
             where v.entity_type = $1 and v.entity_id = any ($2)
               and not exists (select from unnest($2, $3) g(id, chunk) where g.id = v.entity_id and coalesce(g.chunk, 0) = v.chunk)',
            s.store) using s.entity_type, ids, chunks;
    end if;
    execute format(
        'insert into strata_vectors.%%1$I as v (tenant, entity_type, entity_id, chunk, embedding, entity_key)
         select r.%%2$I, $1, g.id, coalesce(g.chunk, 0), %1$I.l2_normalize(g.vector)::%1$I.%%3$I, %%7$s
         from (select unnest($2), unnest($3), unnest($4)) g(id, vector, chunk) join %%4$I.%%5$I r on %%6$s = g.id%%8$s
         on conflict (entity_type, entity_id, chunk) do update set tenant = excluded.tenant, embedding = excluded.embedding',
        s.store, s.tenant_column, kept.storage, s.relation_schema, s.relation_name, strata.id_of(s, 'r'), strata.key_of(s, 'r'),
        case when s.key_type <> 'uuid' then ' and ' || strata.is_any_of(s, 'r', '$2', case when keys is not null then '$5' end) end)
        using s.entity_type, ids, vectors, chunks, keys;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.keep_vectors from public;
