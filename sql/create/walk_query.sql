-- walk_query: the queries that cut a table into batches. The first answers the first and the last key of a batch, each an
-- array of texts; the last is null where fewer rows are left, and the second counts those. $1 text[] the last key of the
-- batch before, null at the beginning; $2 int rows in a batch. Planned with its values, the first goes down the index to
-- the first key and along it, once, to the last. Raises what strata.walk_columns raises.
create function strata.walk_query(relation regclass, key text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    with k as (
        select string_agg(format('x.%I::text', w.name), ', ' order by w.place) as texts,
               string_agg(format('t.%I', w.name), ', ' order by w.place) as columns,
               string_agg(format('$1[%s]::%s', w.place, w.type), ', ' order by w.place) as bounds
        from strata.walk_columns($1, $2) with ordinality w(name, type, place)
    ), q as (
        select texts, format('select %2$s from %1$s t where $1 is null or (%2$s) operator(pg_catalog.>) (%3$s) order by %2$s',
                             $1, columns, bounds) as keys
        from k
    )
    select array[format('select (select array[%1$s] from (%2$s limit 1) x), (select array[%1$s] from (%2$s offset $2 - 1 limit 1) x)',
                        texts, keys),
                 format('select count(*) from (%s limit $2) x', keys)]
    from q
$$;
revoke execute on function strata.walk_query(regclass, text) from public;
