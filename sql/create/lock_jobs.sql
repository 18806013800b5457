-- lock_jobs: locks the jobs of a source that are still leased under these fences, and answers their entities and where they lie:
-- nobody moves them while we hold them. They are looked up by their key alone: how many jobs are leased is never what statistics
-- say, and a plan that believes them reads all that are. `offset 0` keeps the other conditions out of it, and no table that
-- was small when it was planned is read as a whole; without nested loops, so that ten thousand are not compared with ten thousand.
create function strata.lock_jobs(entity_type text, model text, ids uuid[], fences bigint[], out held uuid[], out places tid[])
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
    set enable_nestloop = off as $$
begin
    select coalesce(array_agg(k.id), '{}'), coalesce(array_agg(k.place), '{}') into held, places
    from (
        select j.entity_id as id, j.ctid as place, j.state, j.fence from strata.job j
        where j.entity_type = lock_jobs.entity_type and j.entity_id = any (ids) and j.model = lock_jobs.model
        offset 0 for update skip locked
    ) k
    where k.state = 'leased' and (k.id, k.fence) in (select g.id, g.fence from unnest(ids, fences) g(id, fence));
end
$$;
revoke execute on function strata.lock_jobs from public;

-- end_jobs: of the jobs that lock_jobs has locked (`held`, at `places`), removes those that are done and puts the others
-- back into the queue, a second later: their row has changed, or somebody holds it. A job that moved while its
-- vector was being stored (a trigger of the application changed the text) stays. Touches no job that is not locked
-- already: to wait for one here, with rows of the source locked, would be a deadlock with the writer who holds it.
create function strata.end_jobs(held uuid[], places tid[], done uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    others tid[];
begin
    if cardinality(done) < cardinality(held) then
        select array_agg(h.place) filter (where d.id is not null), array_agg(h.place) filter (where d.id is null)
        into places, others
        from unnest(held, places) h(id, place) left join unnest(done) d(id) on d.id = h.id;
    end if;
    delete from strata.job j where j.ctid = any (places);
    if others is not null then
        update strata.job j
        set state = 'queued', fence = j.fence + 1, worker = null, lease_until = null, session_pid = null,
            session_start = null, not_before = clock_timestamp() + interval '1 second', updated_at = clock_timestamp()
        where j.ctid = any (others);
    end if;
end
$$;
revoke execute on function strata.end_jobs from public;
