-- queue_run: a request, ready to be taken up. Under the lock of the pack: the newest run that did not end and goes the same
-- way is asked for again, with what it has done; any other that did not end is closed, as what it was: it may have died
-- behind its last version.
-- $1 text pack   $2 text direction   $3 jsonb request   $4 text who asks   $5 bool nothing is to be done
-- rows: id text
with newest as (
    select r.id
    from strata.run r
    where r.id = (select x.id from strata.run x where x.pack = $1::text order by x.requested_at desc limit 1)
      and r.direction = $2::text and not $5::bool and (
          r.state in ('queued', 'running', 'waiting', 'failed')
          or r.state = 'cancelled'
             and exists (select from strata.migration m where m.pack = $1::text and m.state in ('applying', 'reverting')))
), closed as (
    update strata.run r
    set state = case when r.state = 'running' and not exists (
                    select from strata.migration m
                    where m.pack = r.pack and m.state <> case r.direction when 'up' then 'applied' else 'pending' end)
                then 'succeeded' else 'cancelled' end,
        finished_at = clock_timestamp()
    where r.pack = $1::text and r.state in ('queued', 'running', 'waiting') and r.id not in (select n.id from newest n)
    returning r.id
), again as (
    update strata.run r
    set state = 'queued', request = $3::jsonb, requested_by = $4::text, requested_at = clock_timestamp(),
        finished_at = null, sqlstate = null, message = null, executor_pid = null, executor_started = null,
        cancel_asked_at = null, cancel_asked_by = null
    from newest n
    where r.id = n.id
    returning r.id
), begun as (
    insert into strata.run (pack, direction, state, attempt, request, requested_by, finished_at)
    select $1::text, $2::text, case when $5::bool then 'succeeded' else 'queued' end, 0, $3::jsonb, $4::text,
           case when $5::bool then clock_timestamp() end
    where not exists (select from again) and (select count(*) from closed) >= 0
    returning id
)
select id::text from again
union all
select id::text from begun
