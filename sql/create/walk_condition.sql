-- walk_condition: what a statement of a backfill says of the rows `t` of its batch, for a key of one column or several.
create function strata.walk_condition(relation regclass, key text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select format('(%1$s) operator(pg_catalog.>=) (%2$s) and (%1$s) operator(pg_catalog.<=) (%3$s)',
                  string_agg(format('t.%I', w.name), ', ' order by w.place),
                  string_agg(format('$1%s::%s', w.element, w.type), ', ' order by w.place),
                  string_agg(format('$2%s::%s', w.element, w.type), ', ' order by w.place))
    from (select c.*, case when count(*) over () > 1 then format('[%s]', c.place) else '' end as element
          from strata.walk_columns($1, $2) with ordinality c(name, type, place)) w
$$;
revoke execute on function strata.walk_condition(regclass, text) from public;
