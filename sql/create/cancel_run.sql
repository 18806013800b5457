-- cancel_run: stops a run now. A statement at work is cancelled and its step undone; what was finished stays. True when
-- there was something to stop. Raises 42704.
create function strata.cancel_run(run uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    r strata.run;
begin
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
    if strata.run_is_alive(r.id) then
        perform pg_cancel_backend(r.executor_pid);
    end if;
    return true;
end
$$;
revoke execute on function strata.cancel_run(uuid) from public;
