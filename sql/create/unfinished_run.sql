-- unfinished_run: the run of a pack that has not ended, or that has failed or was cancelled and has left a version half-way, with
-- the step that it came to. Parameter: the pack. Rows: none where every run has ended well, else one; alive tells of its
-- executor. Raises nothing: a pack that is not known has no runs.
create function strata.unfinished_run(pack text)
returns table (
    run uuid, direction text, state text, alive boolean, pid int, requested_by text, version bigint, step int, steps int,
    summary text, sqlstate text, message text
)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select r.id, r.direction, r.state, strata.run_is_alive(r.id), r.executor_pid, r.requested_by, s.version, s.number, s.steps,
           s.summary, r.sqlstate, r.message
    from strata.run r
    left join lateral (
        select x.version, x.number, x.steps, x.summary from strata.run_step x
        where x.run = r.id
        order by x.started_at desc
        limit 1
    ) s on true
    where r.pack = $1
      and (r.state in ('queued', 'running', 'waiting')
           or r.state in ('failed', 'cancelled')
              and exists (
                  select from strata.migration m where m.pack = r.pack and m.state in ('applying', 'reverting')))
    order by r.requested_at desc
    limit 1
$$;
revoke execute on function strata.unfinished_run(text) from public;
