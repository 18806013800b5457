-- claim_backfill: takes a job for this session, where it stands, or from the beginning: a new job, in a run of a migration
-- also one that an earlier run has finished or whose statement has changed, and one that was under way when a migration was
-- taken back, since what its batches did may be undone. Written before anything is done, in the caller's transaction.
-- Raises 55P03 (another session walks it), 55000 (outside a run: the name belongs to another statement, table or key).
create function strata.claim_backfill(job text, relation regclass, key text, statement text, total bigint)
returns strata.backfill_cursor
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    this_run uuid := nullif(current_setting('strata.run', true), '')::uuid;
    sum      text := encode(sha256(convert_to(concat_ws(E'\n', claim_backfill.relation, claim_backfill.key, statement), 'UTF8')), 'hex');
    c        strata.backfill_cursor;
begin
    insert into strata.backfill_cursor (job, run, checksum, relation, key)
    values (claim_backfill.job, this_run, sum, claim_backfill.relation, claim_backfill.key)
    on conflict do nothing;
    select * into c from strata.backfill_cursor b where b.job = claim_backfill.job for update;
    if c.pid is distinct from pg_backend_pid() and strata.backfill_is_alive(c.job) then
        raise exception 'backfill "%" is being walked by pid % since %', c.job, c.pid, c.claimed_at
            using errcode = '55P03', hint = format('look at it with: select * from strata.backfill_progress(%L)', c.job);
    elsif this_run is null and c.checksum <> sum then
        raise exception 'backfill "%" is another statement, table or key (%, %)', c.job, c.relation, c.key
            using errcode = '55000', hint = format('take another name, or forget the old one: select strata.forget_backfill(%L)', c.job);
    elsif c.checksum <> sum or (c.done and c.run is distinct from this_run and this_run is not null)
       or (c.run is not null and exists (select from strata.history h where h.direction = 'down' and h.at > c.updated_at)) then
        c.cursor := null;
        c.rows := 0;
        c.walked := 0;
        c.batches := 0;
        c.started_at := clock_timestamp();
    end if;
    update strata.backfill_cursor b
    set run = this_run, checksum = sum, relation = claim_backfill.relation, key = claim_backfill.key, cursor = c.cursor,
        rows = c.rows, walked = c.walked, batches = c.batches, total = claim_backfill.total, done = false,
        pid = a.pid, session_started = a.backend_start, call_started = a.query_start, claimed_walked = c.walked,
        paused_for = null, sqlstate = null, message = null, started_at = c.started_at, claimed_at = clock_timestamp(),
        updated_at = clock_timestamp()
    from pg_stat_activity a
    where b.job = c.job and a.pid = pg_backend_pid()
    returning b.* into c;
    return c;
end
$$;
revoke execute on function strata.claim_backfill(text, regclass, text, text, bigint) from public;
