-- step_failed: the outcome of a step that failed, and of the run with it. A way down whose first transaction failed has
-- taken nothing back: a version that was applied is applied again, and the way up is open.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number
-- $5 text sqlstate   $6 text message   $7 text detail or null   $8 text hint or null   $9 text context or null
-- $10 text state of the run: failed, or cancelled by the operator
with run as (
    update strata.run r
    set state = $10::text, finished_at = clock_timestamp(), sqlstate = $5::text,
        message = case $10::text when 'failed' then $6::text end
    where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
    returning r.id, r.pack, r.direction
), step as (
    update strata.run_step s
    set state = 'failed', finished_at = clock_timestamp(),
        sqlstate = $5::text, message = $6::text, detail = $7::text, hint = $8::text, context = $9::text
    from run r
    where s.run = r.id and s.version = $3::int8 and s.number = $4::int8
    returning s.number, s.kind
), unharmed as (
    update strata.migration m
    set state = 'applied'
    from run r, step s
    where r.direction = 'down' and m.pack = r.pack and m.version = $3::int8 and m.state = 'reverting'
      and s.kind = 'transaction'
      and not exists (
          select from strata.run_step d join strata.run o on o.id = d.run
          where o.pack = m.pack and o.direction = 'down' and d.version = m.version and d.state = 'done'
            and d.started_at > (
                select max(h.at) from strata.history h
                where h.pack = m.pack and h.version = m.version and h.event in ('succeeded', 'forced', 'adopted')))
      and (
          select h.event from strata.history h
          where h.pack = m.pack and h.version = m.version and h.direction = 'up' order by h.id desc limit 1
      ) in ('succeeded', 'forced', 'adopted')
)
insert into strata.history (pack, version, name, direction, event, run, attempt, step, sqlstate, message)
select r.pack, m.version, m.name, r.direction, 'failed', r.id, $2::int8::int, s.number, $5::text, $6::text
from run r join strata.migration m on m.pack = r.pack and m.version = $3::int8, step s
