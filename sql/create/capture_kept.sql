-- capture_kept: trigger function: while columns are being copied, what the application writes is copied with it. Runs with
-- its owner's rights: those whose writes fire it may not write the copy.
create function strata.capture_kept() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k strata.kept;
begin
    select * into k from strata.kept x where x.id = tg_argv[0]::bigint;
    if tg_op <> 'INSERT' then
        execute format('delete from %s c where %s', k.copy,
                       (select string_agg(format('c.%1$I = ($1).%1$I', n), ' and ') from unnest(k.keys) n)) using old;
    end if;
    if tg_op <> 'DELETE' then
        execute (select format('insert into %s (%s) values (%s) on conflict (%s) do update set %s', k.copy,
                               string_agg(quote_ident(n), ', '), string_agg(format('($1).%I', n), ', '),
                               (select string_agg(quote_ident(x), ', ') from unnest(k.keys) x),
                               (select string_agg(format('%1$I = excluded.%1$I', x), ', ') from unnest(k.columns) x))
                 from unnest(k.keys || k.columns) n) using new;
    end if;
    return null;
end
$$;
revoke execute on function strata.capture_kept() from public;
