-- count_kept: how many rows a copy has; null where it is gone. Reads all of it.
create function strata.count_kept(kept bigint) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    copy   text := (select k.copy from strata.kept k where k.id = count_kept.kept);
    counted bigint;
begin
    execute format('select count(*) from %s', copy) into counted;
    return counted;
exception when undefined_table or invalid_schema_name then
    return null;
end
$$;
revoke execute on function strata.count_kept(bigint) from public;
