-- queue_jobs: a job for each of these rows of a source; one that is there begins its life again, with a fence that no
-- holder has. A worker that has nothing to do holds a lock that we then cannot have, and is woken: to notify always would
-- have all writers of the database commit one after another. models: null, the one that the source is searched by. keys: the
-- keys of the rows where the ids are made of them; null: the ids are the keys.
create function strata.queue_jobs(entity_type text, ids uuid[], lanes int[], models text[] default null, keys text[] default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    insert into strata.job as j (entity_type, entity_id, entity_key, model, priority, lane)
    select s.entity_type, u.id, u.key, m.name, 10, coalesce(u.lane, 0)
    from strata.source s, unnest(coalesce(models, array[s.model])) m(name), unnest(ids, lanes, keys) u(id, lane, key)
    where s.entity_type = queue_jobs.entity_type
    on conflict (entity_type, entity_id, model) do update
    set state = 'queued', attempts = 0, fence = j.fence + 1, worker = null, lease_until = null, session_pid = null,
        session_start = null, error = null, failing_since = null, not_before = clock_timestamp(),
        priority = excluded.priority, lane = excluded.lane, updated_at = clock_timestamp();
    perform strata.wake_workers();
end
$$;
revoke execute on function strata.queue_jobs from public;
