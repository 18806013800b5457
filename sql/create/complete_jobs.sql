-- complete_jobs: hands embeddings back, all five arrays of one length, one element a job; where chunks are given, one a
-- vector: which part of the job's text it is of, from 0. Stores each vector whose job
-- is still held under that fence and whose row still has the text of that hash, and ends the job. Everything else is
-- stale: its job, where it is still ours, goes back to the queue. Wrong vectors refuse the whole call; a row that the
-- application refuses to have its vector fails alone; the jobs of a source whose table or column is gone are dead; those of
-- one whose table somebody holds go back for five seconds.
-- model: whose vectors these are; null, of the one that each source is searched by. One that a source has no longer: stale.
-- Lock order: rows of the source, then jobs, as the application's own writers do. Raises 22023 (lengths), 22004, 22000.
do $install$
begin
    execute format($sql$
-- complete_part: the same for the jobs of one source; answers how many vectors it stored.
create function strata.complete_part(
    entity_type text, ids uuid[], fences bigint[], hashes bytea[], vectors %1$I.vector[], chunks int[],
    model text
) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s      strata.source := strata.source_as(entity_type, model);
    rows   tid[];
    fresh  uuid[];
    held   uuid[];
    places tid[];
    stored int;
begin
    if s.entity_type is null then
        return 0;
    end if;
    rows := strata.lock_rows(s, ids, hashes);
    select l.held, l.places into held, places from strata.lock_jobs(s.entity_type, s.model, ids, fences) l;
    if chunks is null and cardinality(held) = cardinality(ids) and array_position(rows, null) is null then
        -- As nearly always: nothing is left out, so nothing need be copied.
        fresh := held;
        stored := strata.store_vectors(s, ids, vectors, places => rows);
    else
        fresh := array(select g.id from unnest(ids, rows) g(id, place) where g.place is not null intersect select unnest(held));
        -- A column has room for the first part alone.
        stored := strata.store_vectors(s, array_agg(g.id), array_agg(g.vector), case when chunks is not null then array_agg(g.chunk) end,
                                       places => array_agg(g.place))
        from unnest(ids, vectors, chunks, rows) g(id, vector, chunk, place)
        where g.id = any (fresh) and (coalesce(g.chunk, 0) = 0 or s.vector_column is null);
    end if;
    perform strata.end_jobs(held, places, fresh);
    perform strata.resume_model(s.model);
    return stored;
end
$$;

-- complete_source: the same, whatever becomes of them: where one is refused, each for itself. A table that somebody holds, as an
-- ALTER TABLE does, is not waited for: rows of other sources are locked meanwhile, and their writers wait for us. The limit
-- is half of deadlock_timeout's default, so that where a trigger of the application and a writer wait for one another, it is
-- us who give way.
create function strata.complete_source(
    entity_type text, ids uuid[], fences bigint[], hashes bytea[], vectors %1$I.vector[], chunks int[],
    model text
) returns int
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '500ms' as $$
declare
    one    record;
    stored int := 0;
begin
    return strata.complete_part(entity_type, ids, fences, hashes, vectors, chunks, model);
exception when undefined_table or undefined_column or undefined_object or invalid_schema_name then
    perform strata.bury_jobs(entity_type, ids, sqlerrm);
    return 0;
when lock_not_available then
    perform strata.fail_jobs(array_fill(entity_type, array[cardinality(ids)]), ids, fences, sqlerrm, '5 seconds', 'returned', model);
    return 0;
when others then
    -- A trigger or a constraint of the application refused one of them: which one, each for itself shows.
    for one in
        select array_agg(g.id) as ids, array_agg(g.fence) as fences, array_agg(g.hash) as hashes,
               array_agg(g.vector) as vectors, case when chunks is not null then array_agg(g.chunk) end as chunks
        from unnest(ids, fences, hashes, vectors, chunks) g(id, fence, hash, vector, chunk)
        group by g.id
    loop
        begin
            stored := stored + strata.complete_part(entity_type, one.ids, one.fences, one.hashes, one.vectors, one.chunks, model);
        exception when others then
            perform strata.fail_jobs(array[entity_type], one.ids[1:1], one.fences[1:1],
                                     format('its vector could not be stored: %%s', sqlerrm), model => model);
        end;
    end loop;
    return stored;
end
$$;

create function strata.complete_jobs(
    entity_types text[], entity_ids uuid[], fences bigint[], hashes bytea[], vectors %1$I.vector[],
    model text default null, chunks int[] default null, out stored int, out stale int
)
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    part     record;
    n        int := coalesce(cardinality(entity_types), 0);
    jobs     int := (select count(*) from (select from unnest(entity_types, entity_ids) g(type, id) group by g.type, g.id) j);
    parts    int := case when chunks is null then jobs else (select count(distinct (g.type, g.id, g.chunk))
                    from unnest(entity_types, entity_ids, chunks) g(type, id, chunk)) end;
begin
    if (n, n, n, n) is distinct from (coalesce(cardinality(entity_ids), 0), coalesce(cardinality(fences), 0),
                                      coalesce(cardinality(hashes), 0), coalesce(cardinality(vectors), 0)) then
        raise exception 'the arrays must have one length, not %%, %%, %%, %% and %%', n, cardinality(entity_ids),
            cardinality(fences), cardinality(hashes), cardinality(vectors) using errcode = '22023';
    end if;
    if cardinality(chunks) <> n then
        raise exception 'chunks must be as many as vectors, not %% and %%', cardinality(chunks), n using errcode = '22023';
    elsif n > parts then
        raise exception 'a job is named twice' using errcode = '22023', hint = 'hand each job back once';
    end if;
    perform strata.require_vectors(entity_types, entity_ids, vectors, model);
    stored := 0;
    if entity_types[1] = all (entity_types) then
        -- As nearly always: vectors are large, and to sort them by source would copy them several times.
        stored := strata.complete_source(entity_types[1], entity_ids, fences, hashes, vectors, chunks, model);
    else
        for part in
            select g.type, array_agg(g.id) as ids, array_agg(g.fence) as fences, array_agg(g.hash) as hashes,
                   array_agg(g.vector) as vectors, case when complete_jobs.chunks is not null then array_agg(g.chunk) end as chunks
            from unnest(entity_types, entity_ids, fences, hashes, vectors, chunks) g(type, id, fence, hash, vector, chunk)
            group by 1 order by 1
        loop
            stored := stored + strata.complete_source(part.type, part.ids, part.fences, part.hashes, part.vectors, part.chunks, model);
        end loop;
    end if;
    stale := jobs - stored;
end
$$
$sql$, strata.vector_schema());
end
$install$;
revoke execute on function strata.complete_jobs from public;
revoke execute on function strata.complete_part from public;
revoke execute on function strata.complete_source from public;
