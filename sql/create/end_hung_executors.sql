-- end_hung_executors: ends the sessions of executors that are there and do nothing: stopped, swapped out, behind a line
-- that is dead. An executor at work has a statement at work, and between two of them it pauses for seconds at most; so the
-- server itself tells: a session that has been idle for longer than the lease is hung. Its run is then like one whose
-- executor died. A background worker is never idle.
-- Rows: the runs whose executors were ended. Raises 22023.
create function strata.end_hung_executors(lease interval default '1 minute') returns setof uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    hung record;
begin
    if lease is null or lease <= interval '0' then
        raise exception 'lease must be longer than nothing, not %', coalesce(lease::text, 'null') using errcode = '22023';
    end if;
    -- Row by row: a planner is free to call a function in a condition before it has compared anything.
    for hung in
        select r.id, a.pid
        from strata.run r
        join pg_catalog.pg_stat_activity a on a.pid = r.executor_pid and a.backend_start = r.executor_started
        where r.state = 'running' and a.state like 'idle%' and a.state_change < clock_timestamp() - lease
    loop
        if pg_terminate_backend(hung.pid, 5000) then
            return next hung.id;
        end if;
    end loop;
end
$$;
revoke execute on function strata.end_hung_executors(interval) from public;
