-- relation_name: schema and name of a table, quoted where they must be, whether it is there or not. An unqualified name
-- that is not found belongs to the first schema of the search_path.
create function strata.relation_name(relation text) returns text
language plpgsql stable as $$
declare
    there pg_catalog.regclass := pg_catalog.to_regclass(relation);
    parts text[];
begin
    if there is not null then
        return (select pg_catalog.format('%I.%I', n.nspname, c.relname)
                from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = there);
    end if;
    parts := pg_catalog.parse_ident(relation);
    if pg_catalog.cardinality(parts) = 1 then
        parts := array[pg_catalog.current_schema(), parts[1]];
    end if;
    return pg_catalog.format('%I.%I', parts[1], parts[2]);
end
$$;
revoke execute on function strata.relation_name(text) from public;
