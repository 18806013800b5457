-- store_vectors: writes vectors into rows of a source, and the model and the time where the source keeps them; null for
-- all vectors takes them away. Answers the rows written. The triggers of the application see an ordinary update.
-- The type vector is written with its schema, found by catalog at installation; the oid is what stays.
do $install$
begin
    execute format($sql$
create function strata.store_vectors(s strata.source, ids uuid[], vectors %I.vector[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    columns text := format('%%I = g.vector', s.vector_column)
        || case when s.model_column is null then '' else
           format(', %%I = case when g.vector is not null then %%L end', s.model_column, s.model) end
        || case when s.embedded_at_column is null then '' else
           format(', %%I = case when g.vector is not null then pg_catalog.clock_timestamp() end', s.embedded_at_column) end;
    written int;
begin
    perform set_config('search_path', strata.session_search_path(), true);
    execute pg_catalog.format(
        'update %%I.%%I r set %%s from rows from (pg_catalog.unnest($1), pg_catalog.unnest($2)) g(id, vector)
         where r.%%I = g.id',
        s.relation_schema, s.relation_name, columns, s.key_column)
        using ids, vectors;
    get diagnostics written = row_count;
    return written;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.store_vectors from public;
