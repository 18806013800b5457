-- claim: the run that this executor carries on. The lock of the pack is held, so a run that is still called running
-- has lost its executor. The newest unfinished or failed run of the same direction goes on with one more attempt, a
-- cancelled one too if it left a version half-way or was asked for as many versions; anything else is closed, as succeeded
-- where it died behind its last version, and a new run begins. The request of a run that the command line began is what was
-- asked for last; a count is counted from the attempt in `since`.
-- $1 text pack   $2 text direction   $3 text run or null: none but this one, queued or without an executor
-- $4 jsonb what is asked for: count, target or to_phase   $5 bool the newest run is gone on with, count and all
-- rows: id text, attempt text; none when the run that was wanted is no longer to be had
with newest as (
    select r.id, r.state, r.direction
    from strata.run r
    where r.pack = $1::text
    order by r.requested_at desc
    limit 1
), executor as (
    select a.pid, a.backend_start from pg_catalog.pg_stat_activity a where a.pid = pg_backend_pid()
), closed as (
    update strata.run r
    set state = case when r.state = 'running' and not exists (
                    select from strata.migration m
                    where m.pack = r.pack and m.state <> case r.direction when 'up' then 'applied' else 'pending' end)
                then 'succeeded' else 'cancelled' end,
        finished_at = clock_timestamp()
    from newest n
    where r.id = n.id and n.state in ('queued', 'running', 'waiting') and n.direction <> $2::text and $3::text is null
    returning r.id
), resumed as (
    update strata.run r
    set state = 'running', attempt = r.attempt + 1, finished_at = null, sqlstate = null, message = null,
        executor_pid = e.pid, executor_started = e.backend_start, heartbeat_at = clock_timestamp(),
        cancel_asked_at = null, cancel_asked_by = null,
        request = case when $5::bool or $3::text is not null or r.request ? 'direction'::text then r.request
                  else $4::jsonb || pg_catalog.jsonb_build_object('since'::text, r.attempt + 1) end
    from newest n, executor e
    where r.id = n.id and r.state = n.state and n.direction = $2::text and (
              n.state in ('queued', 'running', 'waiting', 'failed') and $3::text is null
              or n.state = 'cancelled' and $3::text is null
                 and ($5::bool or exists (
                     select from strata.migration m where m.pack = $1::text and m.state in ('applying', 'reverting')))
              or n.state in ('queued', 'running') and r.id = $3::text::uuid)
    returning r.id, r.attempt
), begun as (
    insert into strata.run (pack, direction, state, request, executor_pid, executor_started, heartbeat_at)
    select $1::text, $2::text, 'running', $4::jsonb || '{"since": 1}'::jsonb, e.pid, e.backend_start, clock_timestamp()
    from executor e
    where $3::text is null and not exists (select from resumed) and (select count(*) from closed) >= 0::int8
    returning id, attempt
)
select id::text, attempt::text from resumed
union all
select id::text, attempt::text from begun
