-- forget_backfill: forgets how far a job has come: the next call starts over, with whatever statement. True: there was one.
-- Raises 55P03 (it is being walked).
create function strata.forget_backfill(job text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if strata.backfill_is_alive(job) then
        raise exception 'backfill "%" is being walked', job
            using errcode = '55P03', hint = 'cancel it first: select pg_cancel_backend(pid) from strata.backfill_progress()';
    end if;
    delete from strata.backfill_cursor c where c.job = forget_backfill.job;
    return found;
end
$$;
revoke execute on function strata.forget_backfill(text) from public;
