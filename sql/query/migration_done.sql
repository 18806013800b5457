-- migration_done: marks a version, in the same transaction as its last step.
-- $1 text run   $2 int8 version
with live as (
    select r.id, r.pack, r.direction, r.attempt from strata.run r where r.id = $1::text::uuid
), mark as (
    update strata.migration m
    set state = case l.direction when 'up' then 'applied' else 'pending' end,
        applied_at = case l.direction when 'up' then clock_timestamp() end
    from live l
    where m.pack = l.pack and m.version = $2::int8
    returning m.version, m.name
)
insert into strata.history (pack, version, name, direction, event, run, attempt)
select l.pack, m.version, m.name, l.direction, 'succeeded', l.id, l.attempt from live l, mark m
