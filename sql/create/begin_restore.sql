-- begin_restore: adds the columns of a copy again, empty. A copy that was never finished is dropped instead: the columns
-- are there.
create function strata.begin_restore(kept bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k strata.kept;
begin
    select * into k from strata.kept x where x.id = begin_restore.kept for update;
    if k.state = 'copying' then
        execute format('drop trigger if exists strata_keep_%s on %s', k.id, k.relation);
        execute format('drop table if exists %s', k.copy);
        update strata.kept x set state = 'restored', ended_at = clock_timestamp(), ended_by = session_user where x.id = k.id;
    else
        execute k.definition[1];
        update strata.kept x set state = 'restoring', cursor = null, done = false where x.id = k.id;
    end if;
end
$$;
revoke execute on function strata.begin_restore(bigint) from public;
