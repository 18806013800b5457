-- migration_done: marks a version, in the same transaction as its last step. On the way down the phases without
-- migrations behind it are before the pack again.
-- $1 text run   $2 int8 version
with live as (
    select r.id, r.pack, r.direction, r.attempt from strata.run r where r.id = $1::text::uuid
), mark as (
    update strata.migration m
    set state = case l.direction when 'up' then 'applied' else 'pending' end,
        applied_at = case l.direction when 'up' then clock_timestamp() end
    from live l
    where m.pack = l.pack and m.version = $2::int8
    returning m.version, m.name, m.phase
), before_again as (
    delete from strata.phase_passed p using live l, mark m
    where l.direction = 'down' and p.pack = l.pack and p.phase > m.phase
)
insert into strata.history (pack, version, name, direction, event, run, attempt)
select l.pack, m.version, m.name, l.direction, 'succeeded', l.id, l.attempt from live l, mark m
