-- both_name: what the trigger of an expansion and its function are called. Triggers fire in the order of their names.
create function strata.both_name(relation regclass, new_column text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select 'zz_strata_both_' || left(encode(sha256(convert_to(concat_ws('.', $1, $2), 'UTF8')), 'hex'), 12)
$$;
revoke execute on function strata.both_name(regclass, text) from public;

-- write_one: the trigger of an expansion and its function go.
create function strata.write_one(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    space text := (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = relation);
    name  text := strata.both_name(relation, new_column);
begin
    execute format('drop trigger if exists %I on %s', name, relation);
    execute format('drop function if exists %I.%I()', space, name);
end
$$;
revoke execute on function strata.write_one(regclass, text) from public;
