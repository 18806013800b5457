-- begin_retire: makes the copy of columns that are about to be dropped, empty and closed to everybody, and the trigger
-- that keeps it in step from now on. Answers its number. Raises 42P01, 42703 (no such table, column), 55000 (no primary
-- key, a column of a source), 0A000 (key, identity or generated columns).
create function strata.begin_retire(relation text, columns text[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    rel    regclass := to_regclass(relation);
    whole  text[];
    k      strata.kept;
begin
    perform strata.require_retirable(relation, columns);
    select array_agg(a.attname::text order by i.n) into k.keys
    from pg_index x cross join lateral unnest(x.indkey::int2[]) with ordinality i(att, n)
    join pg_attribute a on a.attrelid = x.indrelid and a.attnum = i.att
    where x.indrelid = rel and x.indisprimary;
    insert into strata.kept (pack, version, relation, columns, keys, state)
    select r.pack, s.version, begin_retire.relation, begin_retire.columns, k.keys, 'copying'
    from (select) one
    left join strata.run r on r.id = nullif(current_setting('strata.run', true), '')::uuid
    left join strata.run_step s on s.run = r.id and s.state = 'running'
    limit 1
    returning id into k.id;
    k.copy := 'strata.' || strata.copy_name(relation, columns);
    update strata.kept x set copy = k.copy where x.id = k.id;
    select array_agg(quote_ident(n)) into whole from unnest(k.keys || columns) n;
    execute format('create table %s as select %s from %s where false', k.copy, array_to_string(whole, ', '), relation);
    execute format('alter table %s add primary key (%s)', k.copy,
                   (select string_agg(quote_ident(n), ', ') from unnest(k.keys) n));
    execute format('alter table %s enable row level security', k.copy);
    execute format('comment on table %s is %L', k.copy,
                   format('columns %s of %s, kept until strata.finalize_migration_cleanup', columns, relation));
    perform strata.close_relation(k.copy::regclass);
    execute format('create trigger strata_keep_%1$s after insert or update or delete on %2$s
                    for each row execute function strata.capture_kept(%1$s)', k.id, relation);
    return k.id;
end
$$;
revoke execute on function strata.begin_retire(text, text[]) from public;
