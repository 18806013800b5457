-- cancel_run: stops a run now. A statement at work is cancelled and its step undone; what was finished stays. A dry run that
-- no worker has taken up, or whose worker is gone, is ended here. True when there was something to stop. Raises 42704.
create function strata.cancel_run(run uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    r    strata.run;
    pid  int;
    does text;
begin
    if exists (select from strata.dry_run x where x.id = cancel_run.run) then
        -- A worker that comes just now waits for this row, and finds it taken.
        update strata.dry_run x
        set state = 'failed', finished_at = clock_timestamp(), sqlstate = '57014',
            message = format('cancelled by %s, and no worker was there', session_user)
        where x.id = cancel_run.run and x.state in ('queued', 'running') and not exists (
            select from pg_catalog.pg_stat_activity a
            where a.pid = x.executor_pid and a.backend_start = x.executor_started);
        if found then
            return true;
        end if;
        select x.executor_pid into pid
        from strata.dry_run x
        join pg_catalog.pg_stat_activity a on a.pid = x.executor_pid and a.backend_start = x.executor_started
        where x.id = cancel_run.run and x.state = 'running';
        return coalesce(pg_cancel_backend(pid), false);
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
