-- lease_jobs: the half of claim_jobs that touches the queue alone: frees the leases that are over, takes what is ripe,
-- skips what another transaction holds. Null: nothing was ripe.
create function strata.lease_jobs(worker text, max int, lease interval) returns strata.job[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    batch strata.job[];
begin
    update strata.job j
    set state = 'queued', worker = null, lease_until = null, updated_at = clock_timestamp()
    where (j.entity_type, j.entity_id, j.model) in (
        select o.entity_type, o.entity_id, o.model from strata.job o
        where o.state = 'leased' and o.lease_until < clock_timestamp()
        order by o.lease_until limit lease_jobs.max
        for update skip locked);

    with ripe as (
        select r.entity_type, r.entity_id, r.model from strata.job r
        where r.state = 'queued' and r.not_before <= clock_timestamp()
        order by r.priority desc, r.not_before limit lease_jobs.max
        for update skip locked
    ), taken as (
        update strata.job j
        set state = 'leased', fence = j.fence + 1, worker = lease_jobs.worker,
            lease_until = clock_timestamp() + lease_jobs.lease, updated_at = clock_timestamp()
        from ripe r
        where (j.entity_type, j.entity_id, j.model) = (r.entity_type, r.entity_id, r.model)
        returning j
    )
    select array_agg(t.j) into batch from taken t;
    return batch;
end
$$;
revoke execute on function strata.lease_jobs from public;
