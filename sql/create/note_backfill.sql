-- note_batch: the batch that this transaction has done. Only the session that has claimed the job writes.
-- Raises 55000 (the job is not this session's any more).
create function strata.note_batch(job text, last_key text[], size int, touched bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update strata.backfill_cursor c
    set cursor = last_key, rows = c.rows + touched, walked = c.walked + size, batches = c.batches + 1, batch = size,
        paused_for = null, sqlstate = null, message = null, updated_at = clock_timestamp()
    where c.job = note_batch.job and c.pid = pg_backend_pid();
    if not found then
        raise exception 'backfill "%" does not belong to this session any more', job
            using errcode = '55000', hint = format('look at it with: select * from strata.backfill_progress(%L)', job);
    end if;
end
$$;
revoke execute on function strata.note_batch(text, text[], int, bigint) from public;

-- note_pause: why the job of this session waits.
create function strata.note_pause(job text, reason text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    update strata.backfill_cursor c set paused_for = $2, updated_at = clock_timestamp()
    where c.job = $1 and c.pid = pg_backend_pid() and c.paused_for is distinct from $2
$$;
revoke execute on function strata.note_pause(text, text) from public;

-- note_error: what the last batch of this session has failed with.
create function strata.note_error(job text, sqlstate text, message text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    update strata.backfill_cursor c set sqlstate = $2, message = $3, paused_for = null, updated_at = clock_timestamp()
    where c.job = $1 and c.pid = pg_backend_pid()
$$;
revoke execute on function strata.note_error(text, text, text) from public;

-- note_done: the job of this session has reached the end of its table.
create function strata.note_done(job text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    update strata.backfill_cursor c set done = true, paused_for = null, updated_at = clock_timestamp()
    where c.job = $1 and c.pid = pg_backend_pid()
$$;
revoke execute on function strata.note_done(text) from public;
