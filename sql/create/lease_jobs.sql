-- lease_jobs: the half of claim_jobs that touches the queue alone: frees the leases that are over and those whose session
-- is gone, takes what is ripe, skips what another transaction holds. What was just written comes first, of whichever model; then
-- models take turns by chance; one that is paused, that has used up its limits, or whose budget has stopped it, is left alone. Null: nothing was ripe.
create function strata.lease_jobs(worker text, max int, lease interval, while_connected boolean, models text[])
returns strata.job[]
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    ripe    tid[];
    batch   strata.job[];
    turn    text;
    urgency int;
    begun   timestamptz := (select a.backend_start from pg_stat_get_activity(pg_backend_pid()) a);
begin
    perform strata.free_leases(max);
    foreach urgency in array array[10, 0] loop
        for turn in
            select m.model from strata.model_state m
            where (models is null or m.model = any (models)) and coalesce(m.paused_until, '-infinity') <= clock_timestamp()
              and greatest(m.requests_free_at, m.tokens_free_at) <= clock_timestamp() + interval '6 seconds'
              and not exists (select from strata.model_change c where c.to_model = m.model and c.stopped and c.state = 'filling')
            order by random()
        loop
            ripe := ripe || strata.lock_ripe_jobs(turn, urgency, max - coalesce(cardinality(ripe), 0));
        end loop;
    end loop;
    with taken as (
        update strata.job j
        set state = 'leased', fence = j.fence + 1, worker = lease_jobs.worker,
            lease_until = clock_timestamp() + lease_jobs.lease, updated_at = clock_timestamp(),
            session_pid = case when while_connected then pg_backend_pid() end,
            session_start = case when while_connected then begun end
        where j.ctid = any (ripe)
        returning j
    )
    select array_agg(t.j) into batch from taken t;
    return batch;
end
$$;
revoke execute on function strata.lease_jobs from public;

-- lock_ripe_jobs: locks up to `max` ripe jobs of a model and a priority, and answers where they lie: nobody moves them
-- while we hold them. Lanes take turns, from one that chance names, so that a tenant who writes a million rows does not
-- stand before one who writes one. The walk over the lanes finds the first job of each on its way: where there are lanes enough,
-- those are the ones.
create function strata.lock_ripe_jobs(of_model text, urgency int, max int) returns tid[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    ripe   tid[];
    firsts tid[];
    found  int[];
    first  int := (random() * 4294967295 - 2147483648)::bigint::int;
begin
    if max <= 0 then
        return null;
    end if;
    with recursive lanes(lane, place, n) as (
        (select j.lane, j.ctid, 1 from strata.job j
         where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane >= first
           and j.not_before <= clock_timestamp()
         order by j.lane limit 1)
        union all
        select g.lane, g.place, l.n + 1
        from lanes l cross join lateral (
            select j.lane, j.ctid as place from strata.job j
            where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane > l.lane
              and j.not_before <= clock_timestamp()
            order by j.lane limit 1) g
        where l.n < lock_ripe_jobs.max
    ), before(lane, place, n) as (
        (select j.lane, j.ctid, 1 from strata.job j
         where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane < first
           and j.not_before <= clock_timestamp() and (select count(*) from lanes l) < lock_ripe_jobs.max
         order by j.lane limit 1)
        union all
        select g.lane, g.place, b.n + 1
        from before b cross join lateral (
            select j.lane, j.ctid as place from strata.job j
            where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane > b.lane
              and j.lane < first and j.not_before <= clock_timestamp()
            order by j.lane limit 1) g
        where b.n < lock_ripe_jobs.max
    )
    select array_agg(f.lane), array_agg(f.place) into found, firsts
    from (select l.lane, l.place from lanes l union all select b.lane, b.place from before b limit lock_ripe_jobs.max) f;
    if cardinality(found) = lock_ripe_jobs.max then
        ripe := array(
            select j.ctid from strata.job j
            where j.ctid = any (firsts) and j.state = 'queued' and j.not_before <= clock_timestamp()
            for update skip locked);
    else
        select array_agg(p.place) into ripe from (
            select r.place from unnest(found) f(lane) cross join lateral (
                select j.ctid as place from strata.job j
                where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.lane = f.lane
                  and j.not_before <= clock_timestamp()
                order by j.not_before
                limit ceil(lock_ripe_jobs.max / cardinality(found)::numeric)::int
                for update skip locked
            ) r limit lock_ripe_jobs.max
        ) p;
    end if;
    if cardinality(ripe) = lock_ripe_jobs.max then
        return ripe;
    end if;
    -- Some lanes had less than their share, or somebody holds the first of theirs.
    return ripe || array(
        select j.ctid from strata.job j
        where j.state = 'queued' and j.model = of_model and j.priority = urgency and j.not_before <= clock_timestamp()
          and j.ctid <> all (coalesce(ripe, '{}'))
        order by j.lane, j.not_before
        limit lock_ripe_jobs.max - coalesce(cardinality(ripe), 0)
        for update skip locked);
end
$$;
revoke execute on function strata.lock_ripe_jobs from public;

-- free_leases: puts back into the queue what is leased for longer than it may be, and what belongs to a session that is gone.
create function strata.free_leases(max int) returns void
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    gone int[] := array(
        select h.session_pid from (select distinct j.session_pid, j.session_start from strata.job j where j.state = 'leased') h
        where h.session_pid is not null
          and not exists (select from pg_stat_get_activity(h.session_pid) a
                          where coalesce(a.backend_start = h.session_start, true)));
    over tid[] := array(
        select o.ctid from strata.job o
        where o.state = 'leased' and (o.lease_until < clock_timestamp() or o.session_pid = any (gone))
        order by o.lease_until limit max
        for update skip locked);
begin
    if over = '{}' then
        return;
    end if;
    update strata.job j
    set state = 'queued', worker = null, lease_until = null, session_pid = null, session_start = null,
        updated_at = clock_timestamp()
    where j.ctid = any (over);
end
$$;
revoke execute on function strata.free_leases from public;
