-- require_vectors: refuses vectors that a source cannot keep. Raises 22004 (a null), 22000 (another dimension than the
-- model's; no direction: all zero, or not a number).
do $install$
begin
    execute format($sql$
create function strata.require_vectors(entity_types text[], entity_ids uuid[], vectors %I.vector[], model text default null) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    bad record;
begin
    execute format(
        'select g.type, g.id, m.name, m.dimensions, %%1$I.vector_dims(g.vector) as dims
         from unnest($1, $2, $3) with ordinality g(type, id, vector, n)
         join strata.source s on s.entity_type = g.type join strata.model m on m.name = coalesce($4, s.model)
         where g.vector is null or %%1$I.vector_dims(g.vector) <> m.dimensions
            or %%1$I.vector_norm(g.vector) in (0, ''infinity'', ''nan'')
         order by g.n limit 1', strata.vector_schema())
        into bad using entity_types, entity_ids, vectors, model;
    if bad.type is null then
        return;
    elsif bad.dims is null then
        raise exception 'the vector of %% %% is null', bad.type, bad.id using errcode = '22004';
    elsif bad.dims <> bad.dimensions then
        raise exception 'expected %% dimensions, not %%', bad.dimensions, bad.dims
            using errcode = '22000', detail = format('vector of %%s %%s, model "%%s"', bad.type, bad.id, bad.name);
    end if;
    raise exception 'the vector of %% %% has no direction', bad.type, bad.id
        using errcode = '22000', hint = 'a vector must be finite and not all zero';
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.require_vectors from public;
