-- backfill_progress: how far each backfill has come, or the one named; readable while it runs. The rate is that of the
-- session which walks or walked last, pauses and all; `total` is what the planner expected of the table at its beginning.
-- states: running, paused, done, failed, and interrupted: not finished, and nobody walks it.
create function strata.backfill_progress(job text default null)
returns table (
    job text, state text, percent numeric, rows bigint, walked bigint, total bigint, batches bigint, batch int,
    rows_per_second numeric, eta interval, ends_at timestamptz, paused_for text, sqlstate text, message text,
    relation text, key text, cursor text[], run uuid, pid int, started_at timestamptz, updated_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select c.job, s.state, case when c.done then 100 else least(99.9, round(100.0 * c.walked / nullif(c.total, 0), 1)) end,
           c.rows, c.walked, c.total, c.batches, c.batch, round(p.pace::numeric, 1), p.eta, p.eta + clock_timestamp(),
           case when s.state = 'paused' then c.paused_for end, c.sqlstate, c.message, c.relation, c.key, c.cursor, c.run,
           case when s.state in ('running', 'paused') then c.pid end, c.started_at, c.updated_at
    from strata.backfill_cursor c
    cross join lateral (
        select case when c.done then 'done'
                    when strata.backfill_is_alive(c.job) and c.paused_for is not null then 'paused'
                    when strata.backfill_is_alive(c.job) then 'running'
                    when c.sqlstate is not null then 'failed'
                    else 'interrupted' end as state
    ) s
    cross join lateral (
        select (c.walked - c.claimed_walked) / nullif(extract(epoch from c.updated_at - c.claimed_at), 0) as pace
    ) r
    cross join lateral (
        select r.pace, case when s.state in ('running', 'paused') then
            make_interval(secs => round(greatest(c.total - c.walked, 0) / nullif(r.pace, 0))::float8) end as eta
    ) p
    where $1 is null or c.job = $1
    order by c.started_at, c.job
$$;
revoke execute on function strata.backfill_progress(text) from public;

-- backfill_line: the same in a line for who watches.
create function strata.backfill_line(job text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select format('backfill %s: %s of about %s rows%s, %s rows/s%s%s', p.job, p.walked, p.total,
                  ' (' || p.percent || ' %)', coalesce(p.rows_per_second, 0), ', ' || p.eta || ' to go',
                  ', paused: ' || p.paused_for)
    from strata.backfill_progress($1) p
$$;
revoke execute on function strata.backfill_line(text) from public;
