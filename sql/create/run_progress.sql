-- run_progress: one row that tells where a run is: its step, who or which gate holds it up, how far an index build or a backfill
-- has come.
-- Seen from outside the executor: it answers at any time, whatever the executor does. Raises 42704.
create function strata.run_progress(run uuid)
returns table (
    pack text, direction text, state text, attempt int, alive boolean, requested_by text, requested_at timestamptz,
    finished_at timestamptz, version bigint, name text, step int, steps int, summary text, step_state text,
    step_started_at timestamptz, sqlstate text, message text, detail text, hint text, context text,
    waiting_for text, phase text, blocks_done bigint, blocks_total bigint, tuples_done bigint, tuples_total bigint,
    percent numeric, last_event text, seconds_left bigint
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select d.pack, d.direction, d.state, 1,
           d.state in ('queued', 'running') and exists (
               select from pg_catalog.pg_stat_activity a
               where a.pid = d.executor_pid and a.backend_start = d.executor_started),
           d.requested_by, d.requested_at, d.finished_at, null::bigint, null::text, null::int, null::int, null::text,
           null::text, null::timestamptz, d.sqlstate, d.message, null::text, null::text, null::text, null::text,
           null::text, null::bigint, null::bigint, null::bigint, null::bigint, null::numeric, null::text, null::bigint
    from strata.dry_run d
    where d.id = run_progress.run;
    if found then
        return;
    end if;
    if not exists (select from strata.run r where r.id = run_progress.run) then
        raise exception 'run % does not exist', run_progress.run using errcode = '42704', hint = 'look into strata.run';
    end if;
    return query
    with r as (
        select x.*, strata.run_is_alive(x.id) and x.state in ('queued', 'running') as is_alive
        from strata.run x where x.id = run_progress.run
    ), s as (
        select x.* from strata.run_step x where x.run = run_progress.run order by x.started_at desc limit 1
    ), p as (
        select i.* from pg_catalog.pg_stat_progress_create_index i join r on r.is_alive and i.pid = r.executor_pid
    ), f as (
        select b.* from r join strata.backfill_cursor c on r.is_alive and c.pid = r.executor_pid
        cross join strata.backfill_progress(c.job) b
        where b.state in ('running', 'paused')
    ), blocker as (
        select string_agg(strata.session_text(b.pid), '; ' order by b.pid) as who
        from r
        cross join lateral (
            select unnest(pg_blocking_pids(r.executor_pid)) as pid
            union
            select i.current_locker_pid::int from p i where i.current_locker_pid > 0
        ) b
        where r.is_alive
    ), part as (
        select case when p.blocks_total > 0 then p.blocks_done::numeric / p.blocks_total
                    when p.tuples_total > 0 then p.tuples_done::numeric / p.tuples_total end as done
        from p
    )
    select r.pack, r.direction, r.state, r.attempt, r.is_alive, r.requested_by, r.requested_at, r.finished_at,
           s.version, m.name, s.number, s.steps, s.summary, s.state, s.started_at,
           coalesce(r.sqlstate, s.sqlstate), coalesce(r.message, s.message), s.detail, s.hint, s.context,
           coalesce(blocker.who, f.paused_for, case when r.state = 'waiting' then strata.open_gate(r.pack) end), p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total,
           coalesce(f.percent, round(100.0 * part.done, 1)),
           (select e.kind || ': ' || e.text from strata.run_event e where e.run = run_progress.run order by e.id desc limit 1),
           -- Of this phase, at the rate since the step began: too long rather than too short.
           coalesce(extract(epoch from f.eta),
                    extract(epoch from clock_timestamp() - s.started_at) * (1 - part.done) / nullif(part.done, 0))::bigint
    from r
    left join s on true
    left join strata.migration m on m.pack = r.pack and m.version = s.version
    left join p on true
    left join f on true
    left join part on true
    left join blocker on true;
end
$$;
revoke execute on function strata.run_progress(uuid) from public;
