-- require_vectors: refuses vectors that a source cannot keep. Raises 22004 (a null), 22000 (another dimension than the
-- model's; no direction: all zero, or not a number).
do $install$
begin
    execute format($sql$
create function strata.require_vectors(entity_types text[], entity_ids uuid[], vectors %I.vector[], model text default null) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    bad record;
begin
    -- Vectors are large: none is copied, as a table function would, or carried through the joins.
    select g.type, g.id, m.name, m.dimensions, g.shape into bad
    from (select unnest(entity_types) as type, unnest(entity_ids) as id, generate_series(1, cardinality(entity_ids)) as n,
                 strata.vector_shape(unnest(vectors)) as shape offset 0) g
    join strata.source s on s.entity_type = g.type join strata.model m on m.name = coalesce(require_vectors.model, s.model)
    where g.shape is distinct from m.dimensions
    order by g.n limit 1;
    if bad.type is null then
        return;
    elsif bad.shape is null then
        raise exception 'the vector of %% %% is null', bad.type, bad.id using errcode = '22004';
    elsif abs(bad.shape) <> bad.dimensions then
        raise exception 'expected %% dimensions, not %%', bad.dimensions, abs(bad.shape)
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
