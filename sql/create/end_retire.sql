-- end_retire: the copy is whole; drops the columns, in the same moment in which the copy stops to follow. Whatever else
-- uses them stops it: nothing is cascaded to. Raises 2BP01.
create function strata.end_retire(kept bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k strata.kept;
begin
    select * into k from strata.kept x where x.id = end_retire.kept for update;
    execute format('lock table %s in access exclusive mode', k.relation);
    update strata.kept x
    set state = 'kept', definition = strata.column_definitions(k.relation::regclass, k.columns), kept_at = clock_timestamp()
    where x.id = k.id;
    execute format('drop trigger strata_keep_%s on %s', k.id, k.relation);
    execute format('alter table %s %s', k.relation,
                   (select string_agg(format('drop column %I', n), ', ') from unnest(k.columns) n));
end
$$;
revoke execute on function strata.end_retire(bigint) from public;
