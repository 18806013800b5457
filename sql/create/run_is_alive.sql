-- run_is_alive: whether the executor of a run still lives: the session that claimed it, and not another one that has its
-- process id now. Where a role may not see when a session began, a session with that process id counts: rather a run
-- that waits than one with two executors. A session that has lost its client lives until the server notices, which it
-- does within seconds; its lock is held as long.
create function strata.run_is_alive(run uuid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from strata.run r
        join pg_catalog.pg_stat_activity a
            on a.pid = r.executor_pid and coalesce(a.backend_start = r.executor_started, true)
        where r.id = $1
    )
$$;
revoke execute on function strata.run_is_alive(uuid) from public;
