-- restore_columns: brings back columns that strata.retire_columns dropped, every value by its key, in batches; they come
-- back at the end of their table, which is where Postgres adds a column. Does nothing where nothing was taken. Killed at
-- any moment, it goes on where it was. Raises 42704 (nothing is kept), 55000 (the copy was cleaned up), 55P03.
create procedure strata.restore_columns(relation text, columns text[], batch int default 5000)
language plpgsql as $$
declare
    whole text := strata.relation_name(relation, pg_catalog.to_regclass(relation), pg_catalog.current_schema());
    k     strata.kept;
begin
    if batch is null or batch < 1 then
        raise exception 'batch must be at least 1 row, not %', coalesce(batch::text, 'null') using errcode = '22023';
    end if;
    k := strata.require_kept(whole, columns);
    if k.state in ('copying', 'kept') then
        call strata.patiently(pg_catalog.format('select strata.begin_restore(%s)', k.id));
        k := strata.kept_of(whole, columns);
    end if;
    while k.state = 'restoring' and not k.done loop
        call strata.patiently(pg_catalog.format('select strata.restore_kept(%s, %s)', k.id, batch));
        k := strata.kept_of(whole, columns);
    end loop;
    if k.state = 'restoring' then
        call strata.patiently(pg_catalog.format('select strata.end_restore(%s)', k.id));
    end if;
end
$$;
revoke execute on procedure strata.restore_columns(text, text[], int) from public;
