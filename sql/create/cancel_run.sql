-- cancel_run: stops a run now. A statement at work is cancelled and its step undone; what was finished stays. True when
-- there was something to stop. Raises 42704.
create function strata.cancel_run(run uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    r    strata.run;
    d    strata.dry_run;
    does text;
begin
    select * into d from strata.dry_run x where x.id = cancel_run.run;
    if found then
        return d.state = 'running' and exists (
            select from pg_catalog.pg_stat_activity a
            where a.pid = d.executor_pid and a.backend_start = d.executor_started and pg_cancel_backend(a.pid));
    end if;
    -- Before the row is locked: an executor that asks may wait for the row, and must find the answer.
    perform pg_advisory_xact_lock_shared(hashtextextended('strata/stop/' || cancel_run.run::text, 0));
    select * into r from strata.run x where x.id = cancel_run.run for update;
    if not found then
        raise exception 'run % does not exist', cancel_run.run using errcode = '42704', hint = 'look into strata.run';
    end if;
    if r.state not in ('queued', 'running', 'waiting') then
        return false;
    end if;
    if r.state = 'running' and strata.run_is_alive(r.id) then
        update strata.run x set cancel_asked_at = clock_timestamp(), cancel_asked_by = session_user where x.id = r.id;
    else
        update strata.run x
        set state = 'cancelled', finished_at = clock_timestamp(), cancel_asked_at = clock_timestamp(),
            cancel_asked_by = session_user
        where x.id = r.id;
    end if;
    -- Between two statements a session hears nothing: one moment later it does. An executor that waits for this
    -- transaction keeps its books, and reads there what was asked.
    for look in 1..50 loop
        perform pg_stat_clear_snapshot();
        select a.state into does
        from pg_catalog.pg_stat_activity a where a.pid = r.executor_pid and a.backend_start = r.executor_started;
        exit when does is null or does not like 'idle%';
        perform pg_sleep(0.01);
    end loop;
    if strata.run_is_alive(r.id) and not pg_backend_pid() = any (pg_blocking_pids(r.executor_pid)) then
        perform pg_cancel_backend(r.executor_pid);
    end if;
    return true;
end
$$;
revoke execute on function strata.cancel_run(uuid) from public;
