-- lock_jobs: locks the jobs of a source that are still leased under these fences, and answers their entities. Each is looked
-- up by its key alone: how many jobs are leased is never what statistics say, and a plan that believes them reads all that
-- are, once for each. `offset 0` keeps the other conditions out of it.
create function strata.lock_jobs(entity_type text, model text, ids uuid[], fences bigint[]) returns uuid[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select coalesce(array_agg(g.id), '{}')
        from (select u.id, u.fence from unnest(ids, fences) u(id, fence) order by u.id) g
        cross join lateral (
            select j.state, j.fence from strata.job j
            where j.entity_type = lock_jobs.entity_type and j.entity_id = g.id and j.model = lock_jobs.model
            offset 0 for update skip locked
        ) k
        where k.state = 'leased' and k.fence = g.fence);
end
$$;
revoke execute on function strata.lock_jobs from public;

-- end_jobs: of the jobs that lock_jobs has locked (`held`, under `fences`), removes those that are done and puts the others
-- back into the queue, a second later: their row has changed, or somebody holds it. A job whose fence moved while its
-- vector was being stored (a trigger of the application changed the text) stays. Touches no job that is not locked
-- already: to wait for one here, with rows of the source locked, would be a deadlock with the writer who holds it.
create function strata.end_jobs(entity_type text, model text, held uuid[], done uuid[], ids uuid[], fences bigint[])
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    finished tid[];
    others   tid[];
begin
    select array_agg(k.place) filter (where g.id = any (done)), array_agg(k.place) filter (where g.id <> all (done))
    into finished, others
    from unnest(ids, fences) g(id, fence)
    cross join lateral (
        select j.ctid as place, j.state, j.fence from strata.job j
        where j.entity_type = end_jobs.entity_type and j.entity_id = g.id and j.model = end_jobs.model
        offset 0
    ) k
    where g.id = any (held) and k.state = 'leased' and k.fence = g.fence;
    delete from strata.job j where j.ctid = any (finished);
    if others is not null then
        update strata.job j
        set state = 'queued', fence = j.fence + 1, worker = null, lease_until = null, session_pid = null,
            session_start = null, not_before = clock_timestamp() + interval '1 second', updated_at = clock_timestamp()
        where j.ctid = any (others);
    end if;
end
$$;
revoke execute on function strata.end_jobs from public;
