-- restore_kept: brings back the values of the next batch of keys, and how far it came with it. A row that somebody has
-- written to since the columns are back keeps what it has. Triggers of the application fire, with the
-- search_path that they know.
create function strata.restore_kept(kept bigint, batch int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k      strata.kept;
    keys   text;
    after  text := 'true';
    page   text;
    last   jsonb;
begin
    select * into k from strata.kept x where x.id = restore_kept.kept for update;
    select string_agg('c.' || quote_ident(n), ', ') into keys from unnest(k.keys) n;
    if k.cursor is not null then
        after := format('(%s) > (select %s from pg_catalog.jsonb_populate_record(null::%s, $1) c)', keys, keys, k.copy);
    end if;
    select format(
        'with page as (
             select c.* from %1$s c where %2$s order by %3$s limit $2
         ), stored as (
             update %4$s t set (%5$s) = row (%6$s) from page c where %7$s and %8$s and not (%9$s)
         )
         select pg_catalog.to_jsonb(c) from (select %3$s from page c order by %10$s limit 1) c',
        k.copy, after, keys, k.relation, string_agg(quote_ident(n), ', '), string_agg('c.' || quote_ident(n), ', '),
        (select string_agg(format('t.%1$I = c.%1$I', x), ' and ') from unnest(k.keys) x),
        string_agg(format('t.%I is null', n), ' and '), string_agg(format('c.%I is null', n), ' and '),
        (select string_agg('c.' || quote_ident(x) || ' desc', ', ') from unnest(k.keys) x))
    into page from unnest(k.columns) n;
    perform set_config('search_path', strata.session_search_path(), true);
    execute page into last using k.cursor, batch;
    update strata.kept x set cursor = coalesce(last, x.cursor), done = last is null where x.id = k.id;
end
$$;
revoke execute on function strata.restore_kept(bigint, int) from public;
