-- walk_batch: first and last key of the next batch behind `cursor`, and how many rows it has; null keys at the end of the
-- table. Reads as the caller, so that row level security holds, and times in one spelling, whatever the session's.
create function strata.walk_batch(queries text[], cursor text[], batch int,
                                  out first_key text[], out last_key text[], out size int)
language plpgsql stable set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD' as $$
begin
    size := batch;
    execute queries[1] into first_key, last_key using cursor, size;
    if first_key is not null and last_key is null then
        execute queries[2] into size using cursor, batch;
        execute queries[1] into first_key, last_key using cursor, size;
    end if;
end
$$;
revoke execute on function strata.walk_batch(text[], text[], int) from public;
