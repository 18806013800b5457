-- wake_workers: tells a worker that has nothing to do that there is something; costs next to nothing while there is none.
-- Where transactions may be prepared nobody is told, and workers look by themselves: one that has notified cannot be prepared, and
-- the writer would fail.
create function strata.wake_workers() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not pg_try_advisory_xact_lock_shared(1937011297, 1) and current_setting('max_prepared_transactions') = '0' then
        perform pg_notify('strata_jobs', '');
    end if;
end
$$;
revoke execute on function strata.wake_workers from public;

-- rest_worker: a worker that has found nothing to do says so, to be woken. False: somebody is writing jobs at this moment,
-- or another worker rests already; look again soon. True: look once more, then wait for "strata_jobs".
create function strata.rest_worker() returns boolean
language sql set search_path = pg_catalog, pg_temp as $$
    select pg_try_advisory_lock(1937011297, 1)
$$;
revoke execute on function strata.rest_worker from public;

-- rouse_worker: it rests no longer.
create function strata.rouse_worker() returns boolean
language sql set search_path = pg_catalog, pg_temp as $$
    select pg_advisory_unlock(1937011297, 1)
$$;
revoke execute on function strata.rouse_worker from public;
