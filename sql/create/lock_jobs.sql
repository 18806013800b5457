-- lock_jobs: locks the jobs of a source that are still leased under these fences, and answers their entities.
create function strata.lock_jobs(entity_type text, model text, ids uuid[], fences bigint[]) returns uuid[]
language sql set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(l.entity_id), '{}') from (
        select j.entity_id from strata.job j join unnest(ids, fences) g(id, fence) on g.id = j.entity_id
        where j.entity_type = lock_jobs.entity_type and j.model = lock_jobs.model
          and j.state = 'leased' and j.fence = g.fence
        order by j.entity_id for update of j skip locked
    ) l
$$;
revoke execute on function strata.lock_jobs from public;

-- end_jobs: of the jobs that lock_jobs has locked (`held`, under `fences`), removes those that are done and puts the others
-- back into the queue, a second later: their row has changed, or somebody holds it. A job whose fence moved while its
-- vector was being stored (a trigger of the application changed the text) stays. Touches no job that is not locked
-- already: to wait for one here, with rows of the source locked, would be a deadlock with the writer who holds it.
create function strata.end_jobs(entity_type text, model text, held uuid[], done uuid[], ids uuid[], fences bigint[])
returns void
language sql set search_path = pg_catalog, pg_temp as $$
    delete from strata.job j using unnest(ids, fences) g(id, fence)
    where j.entity_type = end_jobs.entity_type and j.model = end_jobs.model and j.entity_id = g.id
      and j.state = 'leased' and j.fence = g.fence and g.id = any (held) and g.id = any (done);

    update strata.job j
    set state = 'queued', fence = j.fence + 1, worker = null, lease_until = null, session_pid = null, session_start = null,
        not_before = clock_timestamp() + interval '1 second', updated_at = clock_timestamp()
    from unnest(ids, fences) g(id, fence)
    where j.entity_type = end_jobs.entity_type and j.model = end_jobs.model and j.entity_id = g.id
      and j.state = 'leased' and j.fence = g.fence and g.id = any (held)
$$;
revoke execute on function strata.end_jobs from public;
