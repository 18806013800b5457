-- step_start: the intent of a step, committed before it runs. A version's first step of an attempt opens its history.
-- Its commit does not wait for the disk: whatever the step then writes lies behind it in the log, so that no effect of
-- the step can outlive a power failure that the intent does not.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number   $5 text kind   $6 text summary   $7 text checksum
-- $8 bool first step of this attempt   $9 int8 steps of the version
-- rows: run text, transaction text in which the version began to move, stop text ('true': the operator has asked the run to
-- stop); none when a newer attempt has taken the run over
with live as (
    update strata.run r
    set heartbeat_at = clock_timestamp()
    where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
    returning r.id, r.pack, r.direction, r.cancel_asked_at is not null as stop
), step as (
    insert into strata.run_step as s (run, version, number, steps, kind, summary, checksum, state, attempt)
    select l.id, $3::int8, $4::int8::int, $9::int8::int, $5::text, $6::text, $7::text, 'running', $2::int8::int from live l
    on conflict (run, version, number) do update
        set steps = excluded.steps, kind = excluded.kind, summary = excluded.summary, checksum = excluded.checksum, state = 'running',
            attempt = excluded.attempt, started_at = clock_timestamp(), finished_at = null,
            sqlstate = null, message = null, detail = null, hint = null, context = null
    returning s.run
), mark as (
    update strata.migration m
    set state = case l.direction when 'up' then 'applying' else 'reverting' end,
        applied_at = case l.direction when 'up' then null else coalesce(m.applied_at, clock_timestamp()) end
    from live l
    where m.pack = l.pack and m.version = $3::int8 and m.state not in ('applying', 'reverting')
       or m.pack = l.pack and m.version = $3::int8 and m.state = 'applying' and l.direction = 'down'
    returning m.version
), told as (
    insert into strata.history (pack, version, name, direction, event, run, attempt)
    select l.pack, m.version, m.name, l.direction, 'started', l.id, $2::int8::int
    from live l join strata.migration m on m.pack = l.pack and m.version = $3::int8
    where $8::bool
    returning id
)
select step.run::text, coalesce((
    select h.xmin::text
    from strata.history h
    where h.pack = l.pack and h.version = $3::int8 and h.event = 'started' and h.at > coalesce((
        select max(x.at) from strata.history x
        where x.pack = h.pack and x.version = h.version and x.event in ('succeeded', 'forced', 'adopted')), '-infinity')
    order by h.id
    limit 1), pg_current_xact_id()::xid::text), l.stop::text
from step, live l, set_config('synchronous_commit', 'off', true)
