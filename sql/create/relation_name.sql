-- relation_name: schema and name of a table, quoted where they must be, whether it is there or not. `there` and `schema`:
-- what its caller's search_path finds under the name, and where it would put one that is not found.
create function strata.relation_name(relation text, there regclass, schema text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    parts text[];
begin
    if there is not null then
        return (select format('%I.%I', n.nspname, c.relname)
                from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = there);
    end if;
    parts := parse_ident(relation);
    if cardinality(parts) = 1 then
        parts := array[schema, parts[1]];
    end if;
    return format('%I.%I', parts[1], parts[2]);
end
$$;
revoke execute on function strata.relation_name(text, regclass, text) from public;
