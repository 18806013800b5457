-- claim: the run that this executor carries on. The lock of the pack is held, so a run that is still called running
-- has lost its executor. The newest unfinished or failed run of the same direction goes on with one more attempt;
-- anything else is closed and a new run begins.
-- $1 text pack   $2 text direction
-- rows: id text, attempt text
with newest as (
    select r.id, r.state, r.direction
    from strata.run r
    where r.pack = $1::text
    order by r.requested_at desc
    limit 1
), closed as (
    update strata.run r
    set state = 'cancelled', finished_at = clock_timestamp()
    from newest n
    where r.id = n.id and n.state in ('queued', 'running', 'waiting') and n.direction <> $2::text
    returning r.id
), resumed as (
    update strata.run r
    set state = 'running', attempt = r.attempt + 1, finished_at = null, sqlstate = null, message = null
    from newest n
    where r.id = n.id and n.state in ('queued', 'running', 'waiting', 'failed') and n.direction = $2::text
    returning r.id, r.attempt
), begun as (
    insert into strata.run (pack, direction, state)
    select $1::text, $2::text, 'running'
    where not exists (select from resumed) and (select count(*) from closed) >= 0
    returning id, attempt
)
select id::text, attempt::text from resumed
union all
select id::text, attempt::text from begun
