-- retire_columns: drops columns and keeps their values, by the primary key of their table, in a copy that nobody may read.
-- The copy is made in batches beside the application, and follows what it writes; the drop itself is one short lock.
-- Killed at any moment, it goes on where it was. batch: rows a transaction.
-- Raises what strata.begin_retire and strata.end_retire raise, 55P03 (a lock was never to be had).
create procedure strata.retire_columns(relation text, columns text[], batch int default 5000)
language plpgsql as $$
declare
    whole text := strata.relation_name(relation, pg_catalog.to_regclass(relation), pg_catalog.current_schema());
    k     strata.kept;
begin
    if batch is null or batch < 1 then
        raise exception 'batch must be at least 1 row, not %', coalesce(batch::text, 'null') using errcode = '22023';
    end if;
    k := strata.kept_of(whole, columns);
    if k.state is null or k.state not in ('copying', 'kept', 'restoring') then
        call strata.patiently(pg_catalog.format('select strata.begin_retire(%L, %L::text[])', whole, columns));
        k := strata.kept_of(whole, columns);
    elsif k.state = 'restoring' then
        raise exception 'columns % of % are half-way back', columns, whole
            using errcode = '55000', hint = 'call strata.restore_columns to its end first';
    end if;
    while k.state = 'copying' and not k.done loop
        call strata.patiently(pg_catalog.format('select strata.copy_kept(%s, %s)', k.id, batch));
        k := strata.kept_of(whole, columns);
    end loop;
    if k.state = 'copying' then
        call strata.patiently(pg_catalog.format('select strata.end_retire(%s)', k.id));
    end if;
    update strata.kept x set rows = strata.count_kept(x.id) where x.id = k.id and x.rows is null;
    if not strata.is_dry_run() then
        commit;
    end if;
end
$$;
revoke execute on procedure strata.retire_columns(text, text[], int) from public;
