-- grant_backfill: lets a role walk tables. The statement of a backfill runs with the role's own rights; what it gains is
-- the bookkeeping. Raises 22004 (null), 42704 (no such role, by regrole).
create function strata.grant_backfill(role regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    if role is null then
        raise exception 'role must not be null' using errcode = '22004', hint = 'name the role: ''deploy''';
    end if;
    execute format('grant usage on schema strata to %s', role);
    execute format(
        'grant execute on function strata.walk_columns(regclass, text), strata.walk_query(regclass, text),
             strata.walk_batch(text[], text[], int), strata.estimated_rows(regclass), strata.next_batch(int, float8, float8),
             strata.standby_lag(interval, bigint), strata.lock_queue(regclass, interval),
             strata.claim_backfill(text, regclass, text, text, bigint), strata.note_batch(text, text[], int, bigint),
             strata.note_pause(text, text), strata.note_error(text, text, text), strata.note_done(text),
             strata.backfill_is_alive(text), strata.backfill_progress(text), strata.backfill_line(text),
             strata.forget_backfill(text)
         to %s', role);
    execute format('grant execute on procedure strata.backfill to %s', role);
end
$$;
revoke execute on function strata.grant_backfill(regrole) from public;
