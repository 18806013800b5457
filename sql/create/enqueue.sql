-- enqueue: the trigger function of every source; add_source installs it for insert, update, delete and truncate, with
-- the entity type as its argument and the transition tables old_rows and new_rows. In the writer's own transaction it
-- keeps one promise: a job exists for each row whose embedding does not fit its text. Text without a vector, text that
-- differs from what it was, and a vector without text want a job; everything else wants none. A job that exists goes
-- back to the start of its life, with a fence that no holder has.
-- SECURITY DEFINER: a writer under row level security has no rights here. It writes strata.job alone: were it to touch
-- the source table, the triggers of the application would run with its rights and its search_path.
create function strata.enqueue() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s        strata.source;
    wanted   uuid[];
    unwanted uuid[];
begin
    select * into s from strata.source x where x.entity_type = tg_argv[0];
    if s.entity_type is null then
        return null;
    elsif tg_op = 'TRUNCATE' then
        delete from strata.job j where j.entity_type = s.entity_type;
        return null;
    end if;
    execute strata.enqueue_statement(s, tg_op) into wanted, unwanted;
    if unwanted is not null then
        delete from strata.job j where j.entity_type = s.entity_type and j.entity_id = any (unwanted);
    end if;
    if wanted is not null then
        perform strata.queue_jobs(s, wanted);
    end if;
    return null;
end
$$;
revoke execute on function strata.enqueue from public;

-- queue_jobs: a job for each of these rows of a source; one that is there begins its life again, with a fence that no
-- holder has.
create function strata.queue_jobs(s strata.source, ids uuid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into strata.job as j (entity_type, entity_id, model, priority)
    select s.entity_type, u.id, s.model, 10 from unnest(ids) u(id)
    on conflict (entity_type, entity_id, model) do update
    set state = 'queued', attempts = 0, fence = j.fence + 1, worker = null, lease_until = null, error = null,
        not_before = clock_timestamp(), priority = excluded.priority, updated_at = clock_timestamp();
end
$$;
revoke execute on function strata.queue_jobs from public;
