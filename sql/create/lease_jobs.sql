-- lease_jobs: the half of claim_jobs that touches the queue alone: frees the leases that are over and those whose session
-- is gone, takes what is ripe, skips what another transaction holds. Models take turns by chance; one that is paused, or
-- that has used up its limits, is left alone. Null: nothing was ripe.
create function strata.lease_jobs(worker text, max int, lease interval, while_connected boolean, models text[])
returns strata.job[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    batch    strata.job[];
    turn     text;
    urgency  int;
    begun    timestamptz := (select a.backend_start from pg_stat_get_activity(pg_backend_pid()) a);
begin
    perform strata.free_leases(max);
    for turn in
        select m.model from strata.model_state m
        where (models is null or m.model = any (models)) and coalesce(m.paused_until, '-infinity') <= clock_timestamp()
          and greatest(m.requests_free_at, m.tokens_free_at) <= clock_timestamp() + interval '6 seconds'
        order by random()
    loop
        foreach urgency in array array[10, 0] loop
            batch := batch || strata.take_jobs(turn, urgency, max - coalesce(cardinality(batch), 0));
        end loop;
    end loop;
    update strata.job j
    set state = 'leased', fence = j.fence + 1, worker = lease_jobs.worker,
        lease_until = clock_timestamp() + lease_jobs.lease, updated_at = clock_timestamp(),
        session_pid = case when while_connected then pg_backend_pid() end,
        session_start = case when while_connected then begun end
    from unnest(batch) b
    where (j.entity_type, j.entity_id, j.model) = (b.entity_type, b.entity_id, b.model);
    select array_agg((j.*)::strata.job) into batch
    from unnest(batch) b
    join strata.job j on (j.entity_type, j.entity_id, j.model) = (b.entity_type, b.entity_id, b.model);
    return batch;
end
$$;
revoke execute on function strata.lease_jobs from public;

-- take_jobs: locks up to `max` ripe jobs of a model and a priority. Lanes take turns, from one that chance names, so that
-- a tenant who writes a million rows does not stand before one who writes one.
create function strata.take_jobs(of_model text, urgency int, max int) returns strata.job[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    batch strata.job[];
    first int := (random() * 4294967295 - 2147483648)::bigint::int;
begin
    if max <= 0 then
        return null;
    end if;
    with recursive round(lane, n) as (
        select strata.next_lane(of_model, urgency, first), 1
        union all
        select strata.next_lane(of_model, urgency, r.lane + 1), r.n + 1 from round r
        where r.lane is not null and r.lane < 2147483647 and r.n < take_jobs.max
    ), rest(lane, n) as (
        select strata.next_lane(of_model, urgency, -2147483648), (select count(*)::int from round)
        union all
        select strata.next_lane(of_model, urgency, r.lane + 1), r.n + 1 from rest r
        where r.lane is not null and r.lane < first and r.n < take_jobs.max
    ), lanes as (
        select r.lane from round r where r.lane is not null
        union
        select r.lane from rest r where r.lane is not null
    )
    select array_agg(p.job) into batch from (
        select r.job from lanes l cross join lateral (
            select j as job from strata.job j
            where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane = l.lane
              and j.not_before <= clock_timestamp()
            order by j.not_before
            limit (select ceil(take_jobs.max / count(*)::numeric)::int from lanes)
            for update skip locked
        ) r limit take_jobs.max
    ) p;
    if cardinality(batch) = take_jobs.max then
        return batch;
    end if;
    -- Some lanes had less than their share.
    return batch || array(
        select j from strata.job j
        where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.not_before <= clock_timestamp()
          and (j.entity_type, j.entity_id) not in (select b.entity_type, b.entity_id from unnest(batch) b)
        order by j.lane, j.not_before
        limit take_jobs.max - coalesce(cardinality(batch), 0)
        for update skip locked);
end
$$;
revoke execute on function strata.take_jobs from public;

-- next_lane: the first lane from this one on that has a ripe job; null: none.
create function strata.next_lane(of_model text, urgency int, lane int) returns int
language sql stable set search_path = pg_catalog, pg_temp as $$
    select j.lane from strata.job j
    where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane >= next_lane.lane
      and j.not_before <= clock_timestamp()
    order by j.lane limit 1
$$;
revoke execute on function strata.next_lane from public;

-- free_leases: puts back into the queue what is leased for longer than it may be, and what belongs to a session that is gone.
create function strata.free_leases(max int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    gone int[] := array(
        select h.session_pid from (select distinct j.session_pid, j.session_start from strata.job j where j.state = 'leased') h
        where h.session_pid is not null
          and not exists (select from pg_stat_get_activity(h.session_pid) a
                          where coalesce(a.backend_start = h.session_start, true)));
begin
    update strata.job j
    set state = 'queued', worker = null, lease_until = null, session_pid = null, session_start = null,
        updated_at = clock_timestamp()
    where (j.entity_type, j.entity_id, j.model) in (
        select o.entity_type, o.entity_id, o.model from strata.job o
        where o.state = 'leased' and (o.lease_until < clock_timestamp() or o.session_pid = any (gone))
        order by o.lease_until limit free_leases.max
        for update skip locked);
end
$$;
revoke execute on function strata.free_leases from public;
