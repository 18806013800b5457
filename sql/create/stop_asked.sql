-- stop_asked: whether somebody has asked a run to stop. strata.cancel_run cancels the executor's statement before its own
-- transaction ends, so the column alone would be read too early: as long as that transaction lasts, a lock says it.
-- Two statements on purpose: when the lock is free, the second sees what was committed before it was.
create function strata.stop_asked(run uuid) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended('strata/stop/' || run::text, 0)) then
        return true;
    end if;
    return exists (select from strata.run r where r.id = stop_asked.run and r.cancel_asked_at is not null);
end
$$;
revoke execute on function strata.stop_asked(uuid) from public;
