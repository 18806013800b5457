-- backfill_is_alive: whether the statement that walks a job is still being executed. A walk that was cancelled leaves its
-- session behind, which may idle or do something else.
create function strata.backfill_is_alive(job text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from strata.backfill_cursor c
        join pg_catalog.pg_stat_activity a
            on a.pid = c.pid and a.backend_start = c.session_started and a.query_start = c.call_started
        where c.job = $1 and a.state = 'active'
    )
$$;
revoke execute on function strata.backfill_is_alive(text) from public;
