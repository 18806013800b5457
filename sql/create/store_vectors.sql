-- store_vectors: writes vectors into rows of a source, and the model and the time where the source keeps them; null for
-- all vectors takes them away. Answers the rows written. The triggers of the application see an ordinary update.
-- Where the source has no vector column, the vectors go into its store, brought to length 1, and only the model and the time
-- into its row, where it keeps them. keys: those of the rows as text, where there need be no jobs of them; then ids may be null.
-- chunks: which part of its row's text each vector is of, from 0; null: of the whole.
-- places: where the rows lie, of one who holds them (strata.lock_rows); null: they are looked up.
-- The type vector is written with its schema, found by catalog at installation; the oid is what stays.
do $install$
begin
    execute format($sql$
create function strata.store_vectors(
    s strata.source, ids uuid[], vectors %I.vector[], chunks int[] default null, keys text[] default null, places tid[] default null
) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    given   text := case when s.vector_column is null then '$2' else 'g.vector is not null' end;
    columns text := case when s.vector_column is null then '' else format('%%I = g.vector', s.vector_column) end
        || case when s.model_column is null then '' else
           format(', %%I = case when %%s then %%L end', s.model_column, given, s.model) end
        || case when s.embedded_at_column is null then '' else
           format(', %%I = case when %%s then pg_catalog.clock_timestamp() end', s.embedded_at_column, given) end;
    called  text := strata.id_of(s, 'r');
begin
    ids := coalesce(ids, strata.ids_of(s, keys));
    places := coalesce(places, strata.row_places(s, ids, keys));
    columns := ltrim(columns, ', ');
    if s.vector_column is null then
        perform strata.keep_vectors(s, ids, vectors, chunks, places);
    end if;
    if columns = '' then
        return (select count(distinct u.id) from unnest(ids) u(id));
    end if;
    perform set_config('search_path', strata.session_search_path(), true);
    if s.vector_column is null then
        return strata.by_plan(pg_catalog.format(
            'update %%I.%%I r set %%s from (select pg_catalog.unnest($1) as id, pg_catalog.unnest($3) as place) g
             where r.ctid operator(pg_catalog.=) g.place and %%s operator(pg_catalog.=) g.id',
            s.relation_schema, s.relation_name, columns, called), ids, vectors is not null, places);
    end if;
    return strata.by_plan(pg_catalog.format(
        'update %%I.%%I r set %%s
         from (select pg_catalog.unnest($1) as id, pg_catalog.unnest($2) as vector, pg_catalog.unnest($3) as place) g
         where r.ctid operator(pg_catalog.=) g.place and %%s operator(pg_catalog.=) g.id',
        s.relation_schema, s.relation_name, columns, called), ids, vectors, places);
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.store_vectors from public;

-- row_places: where rows of a source lie, a place for each id; null where there is none. keys: as for store_vectors.
create function strata.row_places(s strata.source, ids uuid[], keys text[]) returns tid[]
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
begin
    return strata.places_by_plan(format(
        'select array_agg(r.place order by g.n) from (select unnest($1) as id, generate_series(1, cardinality($1)) as n) g
         left join (select %s as id, o.ctid as place from %I.%I o where %s) r on r.id = g.id',
        strata.id_of(s, 'o'), s.relation_schema, s.relation_name,
        strata.is_any_of(s, 'o', '$1', case when keys is not null then '$2' end)), ids, keys);
end
$$;
revoke execute on function strata.row_places from public;

-- keep_vectors: writes vectors of rows of a source into its store; null for all vectors takes them away. Parts that a row
-- had and that are not among them go. The type of the embedding is that of the table. In no order, and nobody else writes them
-- meanwhile: who writes the vector of a row holds the row. So those that are there are looked for first, and the others are
-- inserted as they are: `on conflict` would look at the index twice for each.
do $install$
begin
    execute format($sql$
create function strata.keep_vectors(s strata.source, ids uuid[], vectors %1$I.vector[], chunks int[], places tid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    kept   strata.vector_store;
    given  text;
    there  text := format('from strata_vectors.%%I o where o.entity_type = $1 and o.entity_id = g.id and o.chunk = g.chunk offset 0', s.store);
    before bigint;
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
    given := format(
        'select g.id, g.chunk, r.%%1$I as tenant, %1$I.l2_normalize(g.vector)::%1$I.%%2$I as embedding, %%6$s as key
         from (select u.id, u.vector, coalesce(u.chunk, 0) as chunk, u.place
               from (select unnest($2) as id, unnest($3) as vector, unnest($4) as chunk, unnest($5) as place) u offset 0) g
         join %%3$I.%%4$I r on r.ctid = g.place and %%5$s = g.id',
        s.tenant_column, kept.storage, s.relation_schema, s.relation_name, strata.id_of(s, 'r'), strata.key_of(s, 'r'));
    before := strata.by_plan(format(
        'update strata_vectors.%%I v set tenant = g.tenant, embedding = g.embedding
         from (%%s) g cross join lateral (select o.ctid as place %%s) o where v.ctid = o.place', s.store, given, there),
        s.entity_type, ids, vectors, chunks, places);
    if before < cardinality(ids) then
        given := format('select g.tenant, $1, g.id, g.chunk, g.embedding, g.key from (%%s) g%%s', given,
                        case when before > 0 then format(' where not exists (select %%s)', there) else '' end);
        if strata.insert_in_bulk(format('strata_vectors.%%I', s.store)::regclass, given, s.entity_type, ids, vectors, chunks, places) is null then
            perform strata.by_plan(format('insert into strata_vectors.%%I (tenant, entity_type, entity_id, chunk, embedding, entity_key) %%s', s.store, given),
                                   s.entity_type, ids, vectors, chunks, places);
        end if;
    end if;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.keep_vectors from public;
