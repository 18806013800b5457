-- fail_jobs: tells that a provider failed on these jobs; arrays of one length, one element a job. Each job that is still
-- held under its fence is tried again after 2, 4, 8, ... seconds (at most an hour, times 0.5 to 1.5 by chance), and not
-- before `retry_after` has passed; after the eighth failure it is dead, with the error, until retry_dead. Answers how
-- many are queued again and how many died. Raises 22023 (lengths), 22004 (no error).
create function strata.fail_jobs(
    entity_types text[], entity_ids uuid[], fences bigint[], error text, retry_after interval default null,
    out queued int, out dead int
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if (cardinality(entity_types), cardinality(entity_types)) is distinct from (cardinality(entity_ids), cardinality(fences)) then
        raise exception 'the arrays must have one length, not %, % and %',
            cardinality(entity_types), cardinality(entity_ids), cardinality(fences) using errcode = '22023';
    elsif fail_jobs.error is null then
        raise exception 'error must not be null' using errcode = '22004', hint = 'say what the provider answered';
    end if;
    with held as (
        select j.entity_type, j.entity_id, j.model
        from strata.job j join unnest(entity_types, entity_ids, fences) g(type, id, fence)
             on j.entity_type = g.type and j.entity_id = g.id and j.fence = g.fence
        where j.state = 'leased'
        for update of j skip locked
    ), failed as (
        update strata.job j
        set state = case when j.attempts + 1 >= 8 then 'dead' else 'queued' end, attempts = j.attempts + 1,
            fence = j.fence + 1, worker = null, lease_until = null, error = left(fail_jobs.error, 2000),
            not_before = clock_timestamp() + greatest(fail_jobs.retry_after,
                least(interval '1 hour', interval '1 second' * 2 ^ (j.attempts + 1)) * (0.5 + random())),
            updated_at = clock_timestamp()
        from held h
        where (j.entity_type, j.entity_id, j.model) = (h.entity_type, h.entity_id, h.model)
        returning j.state
    )
    select count(*) filter (where f.state = 'queued'), count(*) filter (where f.state = 'dead')
    into queued, dead from failed f;
end
$$;
revoke execute on function strata.fail_jobs from public;
