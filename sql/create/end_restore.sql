-- end_restore: the values are back; makes the columns as they were, and drops the copy. Rows that were written while the
-- columns were away have NULL in them, or the default where NULL may not be; where there is none the column stays
-- nullable, and a warning says so.
create function strata.end_restore(kept bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k         strata.kept;
    statement text;
begin
    select * into k from strata.kept x where x.id = end_restore.kept for update;
    foreach statement in array k.definition[2:] loop
        begin
            execute statement;
        exception when not_null_violation then
            raise warning 'not done, because rows were written while the column was away: %', statement
                using hint = 'give those rows a value, then run that statement';
        end;
    end loop;
    execute format('drop table %s', k.copy);
    update strata.kept x set state = 'restored', ended_at = clock_timestamp(), ended_by = session_user where x.id = k.id;
end
$$;
revoke execute on function strata.end_restore(bigint) from public;
