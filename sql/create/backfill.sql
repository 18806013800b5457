-- backfill: runs one statement over a whole table in key order, a batch a transaction. `statement` sees the batch as
-- $1 and $2, the first and the last key in it, both inclusive, as text: `where t.id between $1::uuid and $2::uuid`; for a
-- key of several columns each is an array: `where (t.a, t.b) >= ($1[1]::int, $1[2]::date) and (t.a, t.b) <= (...)`.
-- It runs as the caller, under the caller's search_path; what is its own is written so that no object of another schema fits
-- better: schema-qualified, and operators with exactly the types that they have.
--
-- Killed at any moment, it goes on behind the last committed batch; strata.claim_backfill says when it starts over.
-- `batch` rows at first, then as many as take `target`: whoever writes a row of the batch waits as long as the batch lasts;
-- null keeps the size. A batch that meets a locked row gives way to its holder and is tried again, half as large, a hundred
-- times over a minute and a half. Once a second it looks around, and waits while a standby replays more than `max_lag` or
-- `max_lag_bytes` behind, and ten seconds at most while sessions that use the table wait for locks.
--
-- In a dry run nothing is committed, and no more than the first 10,000 rows are walked.
--
-- The batches commit without waiting for the disk: each carries its cursor, so a crash of the server takes both or
-- neither. The end is committed as the session commits, and with it all that came before.
-- Raises 22023 (batch, target, a key that cannot be walked), 42809, 42703, 42P10 (strata.walk_columns), 55P03 (a row
-- stayed locked; another session walks the job), 55000 (strata.claim_backfill), 2D000 (called inside a transaction).
create procedure strata.backfill(
    job text, relation regclass, key text, statement text, batch int default 500, target interval default '25 ms',
    max_lag interval default '10 s', max_lag_bytes bigint default null
)
language plpgsql as $$
declare
    seconds  float8 := extract(epoch from target)::float8;
    queries  text[];
    me       strata.backfill_cursor;
    part     record;
    size     int := batch;
    touched  bigint;
    tries    int := 0;
    walked   bigint := 0;
    waited   int := 0;
    failure  text[];
    reason   text;
    began    timestamptz;
    looked   timestamptz := '-infinity';
    told     timestamptz := pg_catalog.clock_timestamp();
    dry      boolean := strata.is_dry_run();
begin
    if batch is null or batch < 1 then
        raise exception 'batch must be at least 1 row, not %', coalesce(batch::text, 'null') using errcode = '22023';
    elsif seconds <= 0::float8 then
        raise exception 'target must be longer than nothing, not %', target
            using errcode = '22023', hint = 'null keeps the size of the batches';
    end if;
    queries := strata.walk_query(relation, key);
    me := strata.claim_backfill(job, relation, key, statement, strata.estimated_rows(relation));
    if not dry then
        commit;
    end if;

    loop
        -- Between batches: no row is locked, nobody waits for this session.
        if pg_catalog.clock_timestamp() > told + interval '5 s' then
            raise notice '%', strata.backfill_line(job);
            told := pg_catalog.clock_timestamp();
        end if;
        if not dry and pg_catalog.clock_timestamp() > looked + interval '1 s' then
            reason := strata.standby_lag(max_lag, max_lag_bytes);
            if reason is null and waited < 40 then
                reason := strata.lock_queue(relation, greatest(coalesce(target, '25 ms') * 4::float8, interval '100 ms'));
                waited := waited + 1;
            end if;
            if reason is not null then
                perform strata.note_pause(job, reason);
                commit;
                perform pg_catalog.pg_sleep(0.25);
                continue;
            end if;
            waited := 0;
            looked := pg_catalog.clock_timestamp();
        end if;

        began := pg_catalog.clock_timestamp();
        part := strata.walk_batch(queries, me.cursor, size);
        if part.first_key is null or dry and walked >= 10000 then
            perform pg_catalog.set_config('strata.dry_run', 'partial', true) where part.first_key is not null;
            perform strata.note_done(job);
            if not dry then
                commit;
            end if;
            return;
        end if;
        failure := null;
        begin
            -- Short, since whoever waits holds rows that others wait for; and below deadlock_timeout, so that of two who
            -- block each other it is hardly ever the application that is cancelled.
            perform pg_catalog.set_config('lock_timeout', '25ms', true), pg_catalog.set_config('synchronous_commit', 'off', true);
            if pg_catalog.cardinality(part.first_key) = 1 then
                execute statement using part.first_key[1], part.last_key[1];
            else
                execute statement using part.first_key, part.last_key;
            end if;
            get diagnostics touched = row_count;
            perform strata.note_batch(job, part.last_key, part.size, touched);
        exception
            when lock_not_available or deadlock_detected then
                failure := array[sqlstate, sqlerrm];
                tries := case when dry then 100 else tries + 1 end;
            when others then
                failure := array[sqlstate, sqlerrm];
                tries := 100;
        end;
        if failure is not null and tries < 100 then
            perform strata.note_pause(job, pg_catalog.format('a row is locked by somebody else, try %s of 100', tries));
            commit;
            size := case when seconds is null then batch else greatest(1, part.size / 2) end;
            perform pg_catalog.pg_sleep(least(0.05::float8 * tries::float8, 1) * (0.5::float8 + pg_catalog.random()));
            continue;
        elsif failure is not null then
            perform strata.note_error(job, failure[1], failure[2]);
            if not dry then
                commit;
            end if;
            -- Once more, so that the statement itself says what is wrong, with all that belongs to it.
            perform pg_catalog.set_config('lock_timeout', '25ms', true);
            if pg_catalog.cardinality(part.first_key) = 1 then
                execute statement using part.first_key[1], part.last_key[1];
            else
                execute statement using part.first_key, part.last_key;
            end if;
            get diagnostics touched = row_count;
            perform strata.note_batch(job, part.last_key, part.size, touched);
        end if;
        if not dry then
            commit;
        end if;
        me.cursor := part.last_key;
        walked := walked + part.size;
        tries := 0;
        size := strata.next_batch(part.size, extract(epoch from pg_catalog.clock_timestamp() - began)::float8, seconds);
    end loop;
end
$$;
revoke execute on procedure strata.backfill from public;
