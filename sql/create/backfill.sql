-- backfill_cursor: how far each backfill has come. Written in the same transaction as the batch it tells of.
create table strata.backfill_cursor (
    job         text        primary key,
    run         uuid,
    checksum    text        not null,
    cursor      text,
    rows        bigint      not null default 0,
    done        boolean     not null default false,
    started_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp()
);

-- backfill: runs one statement over a whole table in key order, a batch a transaction. `statement` sees the batch as
-- $1 and $2, the first and the last key in it, both inclusive, as text: `where t.id between $1::uuid and $2::uuid`.
-- Killed at any moment, it goes on behind the last committed batch: the cursor belongs to the run named by the setting
-- strata.run, so that the same job in a new run starts over once it was done, and a changed statement does too; and so
-- does a job that was under way when a migration was taken back: what its first batches did may be undone.
-- A batch that meets a locked row gives way to its holder and is tried again, a hundred times over a minute and a half.
-- Raises 22023 (batch), 55P03 (a row stayed locked), 42703 (no such key column), 2D000 (called inside a transaction).
create procedure strata.backfill(job text, relation regclass, key text, statement text, batch int default 5000)
language plpgsql as $$
declare
    this_run  uuid := nullif(current_setting('strata.run', true), '')::uuid;
    sum       text := encode(sha256(convert_to(statement, 'UTF8')), 'hex');
    key_type  text;
    progress  strata.backfill_cursor;
    first_key text;
    last_key  text;
    touched   bigint;
begin
    if batch is null or batch < 1 then
        raise exception 'batch must be at least 1 row, not %', coalesce(batch::text, 'null') using errcode = '22023';
    end if;
    select format_type(a.atttypid, a.atttypmod) into key_type
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attname = key and a.attnum > 0 and not a.attisdropped;
    if key_type is null then
        raise exception 'column "%" of relation "%" does not exist', key, relation using errcode = '42703';
    end if;

    select * into progress from strata.backfill_cursor c where c.job = backfill.job;
    if progress.job is null or progress.checksum <> sum or (progress.done and progress.run is distinct from this_run)
       or (progress.done and this_run is null)
       or exists (select from strata.history h where h.direction = 'down' and h.at > progress.updated_at) then
        insert into strata.backfill_cursor as c (job, run, checksum) values (job, this_run, sum)
        on conflict on constraint backfill_cursor_pkey do update
            set run = excluded.run, checksum = excluded.checksum, cursor = null, rows = 0, done = false,
                started_at = clock_timestamp(), updated_at = clock_timestamp()
        returning * into progress;
        commit;
    end if;

    while not progress.done loop
        execute format(
            'with b as (select t.%1$I as k from %2$s t where $1 is null or t.%1$I > $1::%3$s order by t.%1$I limit $2)
             select (select k from b order by k limit 1)::text, (select k from b order by k desc limit 1)::text',
            key, relation, key_type)
            into first_key, last_key using progress.cursor, batch;
        if first_key is null then
            update strata.backfill_cursor c set done = true, updated_at = clock_timestamp() where c.job = backfill.job;
            commit;
            return;
        end if;
        -- The application's writers go first: whoever waits here holds many rows, gives them all back, and tries again.
        -- Shorter than deadlock_timeout, so that of two who block each other it is hardly ever the writer who is cancelled.
        for attempt in 1..100 loop
            begin
                perform set_config('lock_timeout', '100ms', true);
                execute statement using first_key, last_key;
                get diagnostics touched = row_count;
                exit;
            exception when lock_not_available or deadlock_detected then
                if attempt = 100 then
                    raise;
                end if;
            end;
            commit;
            perform pg_sleep(least(0.05 * attempt, 1) * (0.5 + random()));
        end loop;
        update strata.backfill_cursor c
        set cursor = last_key, rows = c.rows + touched, run = this_run, updated_at = clock_timestamp()
        where c.job = backfill.job
        returning * into progress;
        commit;
    end loop;
end
$$;
revoke execute on procedure strata.backfill from public;
