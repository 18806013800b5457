-- restore_table: brings back a table that strata.retire_table took away, with the rights on it. Does nothing where it is
-- there. Raises 42704 (nothing is kept), 55000 (the copy was cleaned up).
create function strata.restore_table(relation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k         strata.kept := strata.require_kept(relation, null);
    statement text;
begin
    if k.state is distinct from 'kept' then
        return;
    end if;
    execute format('alter table %s set schema %I', k.copy, (parse_ident(relation))[1]);
    execute format('drop schema strata_%s', strata.copy_name(relation, null));
    foreach statement in array k.definition loop
        execute statement;
    end loop;
    update strata.kept x set state = 'restored', ended_at = clock_timestamp(), ended_by = session_user where x.id = k.id;
end
$$;
revoke execute on function strata.restore_table(text) from public;
