-- complete_jobs: hands embeddings back, all five arrays of one length, one element a job. Stores each vector whose job
-- is still held under that fence and whose row still has the text of that hash, and ends the job. Everything else is
-- stale: its job, where it is still ours, goes back to the queue. Wrong vectors refuse the whole call.
-- Lock order: rows of the source, then jobs, as the application's own writers do. Raises 22023 (lengths), 22004, 22000.
do $install$
begin
    execute format($sql$
create function strata.complete_jobs(
    entity_types text[], entity_ids uuid[], fences bigint[], hashes bytea[], vectors %I.vector[],
    out stored int, out stale int
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s        strata.source;
    part     record;
    fresh    uuid[];
    held     uuid[];
    n        int := coalesce(cardinality(entity_types), 0);
begin
    if (n, n, n, n) is distinct from (coalesce(cardinality(entity_ids), 0), coalesce(cardinality(fences), 0),
                                      coalesce(cardinality(hashes), 0), coalesce(cardinality(vectors), 0)) then
        raise exception 'the arrays must have one length, not %%, %%, %%, %% and %%', n, cardinality(entity_ids),
            cardinality(fences), cardinality(hashes), cardinality(vectors) using errcode = '22023';
    end if;
    if n > (select count(distinct (g.type, g.id)) from unnest(entity_types, entity_ids) g(type, id)) then
        raise exception 'a job is named twice' using errcode = '22023', hint = 'hand each job back once';
    end if;
    perform strata.require_vectors(entity_types, entity_ids, vectors);
    stored := 0;
    for part in
        select g.type, array_agg(g.id) as ids, array_agg(g.fence) as fences, array_agg(g.hash) as hashes
        from unnest(entity_types, entity_ids, fences, hashes) g(type, id, fence, hash) group by 1 order by 1
    loop
        select * into s from strata.source x where x.entity_type = part.type;
        continue when s.entity_type is null;
        fresh := strata.lock_rows(s, part.ids, part.hashes);
        held := strata.lock_jobs(part.type, s.model, part.ids, part.fences);
        fresh := array(select unnest(fresh) intersect select unnest(held));
        stored := stored + strata.store_vectors(s, fresh, array(
            select g.vector from unnest(entity_types, entity_ids, vectors) g(type, id, vector)
            join unnest(fresh) with ordinality h(id, n) on h.id = g.id
            where g.type = part.type order by h.n));
        perform strata.end_jobs(part.type, s.model, held, fresh, part.ids, part.fences);
    end loop;
    stale := n - stored;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.complete_jobs from public;
