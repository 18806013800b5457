-- fail_jobs: tells that a provider failed on these jobs; arrays of one length, one element a job, one call of the provider.
-- Each job that is still held under its fence goes back to the queue, and not before `retry_after` has passed. kind:
--   failed       it is tried again after 2, 4, 8, ... seconds (at most an hour, times 0.5 to 1.5 by chance), and dead with
--                the error after the eighth failure, until retry_dead;
--   unavailable  the same, but none dies of it that was not alone in its call, or while the provider has answered nobody
--                since it failed first: a provider that is down kills nobody. From the second failure in a row on, all
--                workers leave the model alone for 1, 2, 4, ... seconds, at most a minute;
--   busy         the provider has too much to do: no failure of the job. All workers leave the model alone for retry_after;
--   rejected     the provider will never take this text: dead at once;
--   returned     nothing was tried: it is free for others at once, and costs nothing.
-- model: whose jobs these are; null, of the one that each source is searched by. Answers how many are queued again and how many died. Raises 22023 (lengths, kind), 22004 (no error).
create function strata.fail_jobs(
    entity_types text[], entity_ids uuid[], fences bigint[], error text, retry_after interval default null,
    kind text default 'failed', model text default null, out queued int, out dead int
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    models text[];
    counts int := case when kind in ('failed', 'unavailable', 'rejected') then 1 else 0 end;
    alone  boolean := cardinality(entity_types) = 1;
begin
    if (cardinality(entity_types), cardinality(entity_types)) is distinct from (cardinality(entity_ids), cardinality(fences)) then
        raise exception 'the arrays must have one length, not %, % and %',
            cardinality(entity_types), cardinality(entity_ids), cardinality(fences) using errcode = '22023';
    elsif fail_jobs.error is null then
        raise exception 'error must not be null' using errcode = '22004', hint = 'say what the provider answered';
    elsif coalesce(kind not in ('failed', 'unavailable', 'busy', 'rejected', 'returned'), true) then
        raise exception 'kind "%" is not known', coalesce(kind, 'null')
            using errcode = '22023', hint = 'use failed, unavailable, busy, rejected or returned';
    end if;
    with held as (
        select k.place, k.model, coalesce(k.failing_since, clock_timestamp()) as since
        from unnest(entity_types, entity_ids, fences) g(type, id, fence)
        left join strata.source s on fail_jobs.model is null and s.entity_type = g.type
        cross join lateral (
            select j.ctid as place, j.model, j.state, j.fence, j.failing_since from strata.job j
            where j.entity_type = g.type and j.entity_id = g.id and j.model = coalesce(fail_jobs.model, s.model)
            offset 0 for update skip locked
        ) k
        where k.state = 'leased' and k.fence = g.fence
    ), failed as (
        update strata.job j
        set state = case when fail_jobs.kind = 'rejected' then 'dead'
                         when fail_jobs.kind = 'failed' and j.attempts + 1 >= 8 then 'dead'
                         when fail_jobs.kind = 'unavailable' and j.attempts + 1 >= 8 and alone and p.succeeded_at > h.since then 'dead'
                         else 'queued' end,
            attempts = j.attempts + counts, fence = j.fence + 1, worker = null, lease_until = null, session_pid = null,
            session_start = null, error = case when fail_jobs.kind = 'returned' then j.error else left(fail_jobs.error, 2000) end,
            failing_since = case when counts = 1 then h.since else j.failing_since end,
            not_before = clock_timestamp() + greatest(fail_jobs.retry_after,
                counts * least(interval '1 hour', interval '1 second' * 2 ^ least(j.attempts + 1, 12)) * (0.5 + random())),
            updated_at = clock_timestamp()
        from held h left join strata.model_state p on p.model = h.model
        where j.ctid = h.place
        returning j.state, j.model
    )
    select count(*) filter (where f.state = 'queued'), count(*) filter (where f.state = 'dead'), array_agg(distinct f.model)
    into queued, dead, models from failed f;
    if kind in ('busy', 'unavailable') then
        perform strata.pause_model(m.name, retry_after, error, kind = 'busy') from unnest(models) m(name);
    end if;
end
$$;
revoke execute on function strata.fail_jobs from public;

-- pause_model: keeps all workers from a model: for as long as its provider asks, else longer each time. One failure among
-- successes pauses nothing, unless the provider has asked for it.
create function strata.pause_model(model text, retry_after interval, error text, asked boolean) returns void
language sql set search_path = pg_catalog, pg_temp as $$
    update strata.model_state m
    set failures = m.failures + 1, error = left(pause_model.error, 2000),
        paused_until = greatest(m.paused_until, clock_timestamp() + coalesce(retry_after, case
            when m.failures > 0 or asked
            then least(interval '1 minute', interval '1 second' * 2 ^ least(greatest(m.failures - 1, 0), 6)) * (0.75 + random() / 2)
            end))
    where m.model = pause_model.model
$$;
revoke execute on function strata.pause_model from public;

-- resume_model: its provider has answered. Writes once a second at most, and at once where it had failed.
create function strata.resume_model(model text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update strata.model_state m
    set failures = 0, paused_until = null, error = null, succeeded_at = clock_timestamp()
    where m.model = resume_model.model
      and (m.failures > 0 or m.succeeded_at is null or m.succeeded_at < clock_timestamp() - interval '1 second');
end
$$;
revoke execute on function strata.resume_model from public;
