-- copy_kept: copies the next batch of keys and values, and how far it came with it. Rows are held against deletion, so
-- that one who deletes a row finds it in the copy. Where the batch ends is read before rows are waited for: one that is
-- moved to another key meanwhile would carry the end away with it. Whoever writes is copied by capture_kept.
create function strata.copy_kept(kept bigint, batch int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k     strata.kept;
    keys  text;
    whole text;
    after text := 'true';
    last  jsonb;
begin
    select * into k from strata.kept x where x.id = copy_kept.kept for update;
    select string_agg('t.' || quote_ident(n), ', ') into keys from unnest(k.keys) n;
    select string_agg('t.' || quote_ident(n), ', ') into whole from unnest(k.keys || k.columns) n;
    if k.cursor is not null then
        after := format('(%s) > (select %1$s from jsonb_populate_record(null::%s, $1) t)', keys, k.copy);
    end if;
    execute format('select to_jsonb(t) from (select %1$s from %2$s t where %3$s order by %1$s limit $2) t order by %4$s limit 1',
                   keys, k.relation, after,
                   (select string_agg('t.' || quote_ident(n) || ' desc', ', ') from unnest(k.keys) n))
        into last using k.cursor, batch;
    if last is not null then
        execute format('insert into %1$s (%2$s)
                        select %3$s from %4$s t
                        where %5$s and (%6$s) <= (select %6$s from jsonb_populate_record(null::%1$s, $2) t)
                        for key share of t on conflict do nothing',
                       k.copy, (select string_agg(quote_ident(n), ', ') from unnest(k.keys || k.columns) n), whole,
                       k.relation, after, keys)
            using k.cursor, last;
    end if;
    update strata.kept x set cursor = coalesce(last, x.cursor), done = last is null where x.id = k.id;
end
$$;
revoke execute on function strata.copy_kept(bigint, int) from public;
