-- expand_column: a new column that stands in for an old one, with triggers that write both, and the rights of the old one.
-- Then strata.fill_column computes it for the rows that are there, strata.contract_column drops the old one.
-- `up` is an expression of the old column, `down` of the new one; both see pg_catalog and the schema of the table.
-- `new_default` is an expression that becomes the default of the new column when the old one goes; needed where the old
-- one has a default. One short lock. Raises what strata.require_expandable raises, 22004 (a null).
create function strata.expand_column(
    relation regclass, old_column text, new_column text, type text, up text, down text, new_default text default null
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    e     strata.expansion;
    right_ record;
begin
    if relation is null or old_column is null or new_column is null or type is null or up is null or down is null then
        raise exception 'an expansion needs a table, two columns, a type and both expressions' using errcode = '22004';
    end if;
    select relation::text, old_column, new_column, type, up, down, new_default, string_agg(a.attname, ', ' order by k.place),
           'expanded', clock_timestamp(), clock_timestamp()
    into e
    from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k(number, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
    where i.indrelid = expand_column.relation and i.indisprimary;
    if e.key is null and (select c.relkind in ('r', 'p') from pg_class c where c.oid = relation) then
        raise exception 'relation % has no primary key', relation
            using errcode = '42P10', hint = 'add one: its rows are walked by it';
    end if;
    perform strata.require_expandable(e);
    if new_default is null and exists (
        select from pg_attribute a where a.attrelid = relation and a.attname = old_column and a.atthasdef
    ) then
        raise exception 'column "%" of relation % has a default', old_column, relation
            using errcode = '22023', hint = 'name the default of the new column: new_default => ''...''';
    end if;
    insert into strata.expansion select e.*;
    execute format('alter table %s add column %I %s', relation, new_column, type);
    for right_ in
        select format('grant %s (%I) on %s to %s%s', x.privilege_type, new_column, relation,
                      case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end,
                      case when x.is_grantable then ' with grant option' else '' end) as sql
        from pg_attribute a cross join aclexplode(a.attacl) x
        where a.attrelid = relation and a.attname = old_column
    loop
        execute right_.sql;
    end loop;
    perform strata.write_both(relation, new_column);
end
$$;
revoke execute on function strata.expand_column(regclass, text, text, text, text, text, text) from public;
