-- estimated_rows: how many rows the planner expects in a table, its partitions with it; as the caller sees it.
create function strata.estimated_rows(relation regclass) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    plan json;
begin
    execute format('explain (format json) select from %s', relation) into plan;
    return (plan -> 0 -> 'Plan' ->> 'Plan Rows')::bigint;
end
$$;
revoke execute on function strata.estimated_rows(regclass) from public;
