-- migration_done: marks a version and its last step, in the same transaction as what the step did. On the way down the
-- phases without migrations behind it are before the pack again.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number
-- rows: one, or none when a newer attempt has taken the run over
with live as (
    select r.id, r.pack, r.direction, r.attempt
    from strata.run r
    where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
), step as (
    update strata.run_step s
    set state = 'done', finished_at = clock_timestamp()
    from live l
    where s.run = l.id and s.version = $3::int8 and s.number = $4::int8 and s.attempt = l.attempt
), mark as (
    update strata.migration m
    set state = case l.direction when 'up' then 'applied' else 'pending' end,
        applied_at = case l.direction when 'up' then clock_timestamp() end
    from live l
    where m.pack = l.pack and m.version = $3::int8
    returning m.version, m.name, m.phase
), before_again as (
    delete from strata.phase_passed p using live l, mark m
    where l.direction = 'down' and p.pack = l.pack and p.phase > m.phase
)
insert into strata.history (pack, version, name, direction, event, run, attempt)
select l.pack, m.version, m.name, l.direction, 'succeeded', l.id, l.attempt from live l, mark m
returning run::text
