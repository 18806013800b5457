-- queue_jobs: a job for each of these rows of a source; one that is there begins its life again, with a fence that no
-- holder has. A worker that has nothing to do holds a lock that we then cannot have, and is woken: to notify always would
-- have all writers of the database commit one after another. models: null, the one that the source is searched by. keys: the
-- keys of the rows where the ids are made of them; null: the ids are the keys.
-- A writer in repeatable read cannot touch a job that a worker has touched since its snapshot, and need not: a job that it cannot
-- see is there, and whoever holds it finds the row locked or its text changed, and puts it back. plainly: do not look out for that.
create function strata.queue_jobs(
    entity_type text, ids uuid[], lanes int[], models text[] default null, keys text[] default null, plainly boolean default false
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if not plainly and current_setting('transaction_isolation') <> 'read committed' then
        begin
            perform strata.queue_jobs(entity_type, ids, lanes, models, keys, true);
        exception when serialization_failure then
            for i in 1..cardinality(ids) loop
                begin
                    perform strata.queue_jobs(entity_type, ids[i:i], lanes[i:i], models, keys[i:i], true);
                exception when serialization_failure then
                    null;
                end;
            end loop;
        end;
        return;
    end if;
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

-- unqueue_jobs: for writers in repeatable read: no job for these rows of a source, or for none of its rows (null): they are gone, or
-- have neither text nor vector. Where they have one that the writer cannot touch, all stay, and a worker settles them.
create function strata.unqueue_jobs(entity_type text, ids uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if ids is null then
        delete from strata.job j where j.entity_type = unqueue_jobs.entity_type;
    else
        delete from strata.job j where j.entity_type = unqueue_jobs.entity_type and j.entity_id = any (ids);
    end if;
exception when serialization_failure then
    null;
end
$$;
revoke execute on function strata.unqueue_jobs from public;
