-- patiently: runs a statement in a transaction of its own, giving way to the application: where a lock is not to be had in
-- a tenth of a second, everything is given back and tried again, a hundred times over a minute and a half. Raises 55P03.
create procedure strata.patiently(statement text)
language plpgsql as $$
begin
    for attempt in 1..100 loop
        begin
            perform pg_catalog.set_config('lock_timeout', '100ms', true);
            execute statement;
            exit;
        exception when lock_not_available or deadlock_detected then
            if attempt = 100 then
                raise;
            end if;
        end;
        if not strata.is_dry_run() then
            commit;
        end if;
        perform pg_catalog.pg_sleep(least(0.05::float8 * attempt::float8, 1) * (0.5::float8 + pg_catalog.random()));
    end loop;
    if not strata.is_dry_run() then
        commit;
    end if;
end
$$;
revoke execute on procedure strata.patiently(text) from public;
