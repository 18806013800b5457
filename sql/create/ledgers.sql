-- ledgers: the tables of other migration tools that may be those of a pack, with what they say: one row for each version,
-- or one with null. The one that the pack is kept in step with, also when it is gone; else, while the pack has no past
-- here, every table that has the columns of golang-migrate's or the name of Supabase's and belongs to no other pack.
-- `wanted`: none but this one. `rank`: 0 in the first schema of the session's search_path, 1 further on in it, 2 elsewhere.
-- `state`: idle, busy (golang-migrate is at work) or gone. Raises 22023 (wanted is no name).
create function strata.ledgers(pack text, wanted text)
returns table (
    kind text, schema_name text, table_name text, rank int, bound boolean, state text, version text, dirty boolean
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    own   strata.ledger;
    names text[] := parse_ident(wanted);
    path  text[] := strata.session_schemas();
    t     record;
begin
    select l.* into own from strata.ledger l where l.pack = ledgers.pack;
    if wanted is null and (own.kind = 'none'
        or own.pack is null and exists (select from strata.history h where h.pack = ledgers.pack)) then
        return;
    end if;
    if names is null and own.kind <> 'none' then
        names := array[own.schema_name, own.table_name];
    end if;
    for t in
        select k.kind, n.nspname as schema_name, c.relname as table_name, c.oid::regclass as relation,
               case when n.nspname = path[1] then 0 when n.nspname = any (path) then 1 else 2 end as rank
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral (
            select string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' order by a.attname) as columns
            from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        ) a
        cross join lateral (
            select case when a.columns = 'dirty boolean, version bigint' then 'golang-migrate'
                        when n.nspname = 'supabase_migrations' and c.relname = 'schema_migrations'
                             and a.columns ~ '(^|, )version text(,|$)' then 'supabase' end as kind
        ) k
        where c.relkind = 'r' and c.relpersistence <> 't' and k.kind is not null and n.nspname <> 'strata'
          and not row_security_active(c.oid) and has_table_privilege(c.oid, 'select')
          and (names is null or c.relname = names[array_upper(names, 1)]
               and (array_length(names, 1) = 1 or n.nspname = names[1]))
          and not exists (
              select from strata.ledger l
              where l.schema_name = n.nspname and l.table_name = c.relname and l.pack <> ledgers.pack)
        order by 1, 2, 3
    loop
        return query execute format(
            'select $1, $2::text, $3::text, $4, $5, $6, l.version::text, %s
             from (select) one left join %s l on true order by length(l.version::text), l.version',
            case t.kind when 'supabase' then 'false' else 'l.dirty' end, t.relation)
            using t.kind, t.schema_name, t.table_name, t.rank,
                  coalesce(own.schema_name = t.schema_name and own.table_name = t.table_name, false),
                  case when t.kind = 'golang-migrate' and strata.golang_is_at_work(t.schema_name, t.table_name)
                       then 'busy' else 'idle' end;
    end loop;
    if not found and own.kind <> 'none' and wanted is null then
        return query select own.kind, own.schema_name, own.table_name, 0, true, 'gone', null::text, false;
    end if;
end
$$;

-- bind_ledger: keeps a pack in step with a table from now on; kind none: with none.
-- Raises what strata.open_ledger raises, 23505 (the table belongs to another pack), 42501.
create function strata.bind_ledger(pack text, kind text, schema_name text, table_name text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    ledger strata.ledger;
begin
    insert into strata.ledger as l (pack, kind, schema_name, table_name)
    values (bind_ledger.pack, bind_ledger.kind, bind_ledger.schema_name, bind_ledger.table_name)
    on conflict on constraint ledger_pkey do update
        set kind = excluded.kind, schema_name = excluded.schema_name, table_name = excluded.table_name,
            adopted_at = clock_timestamp(), adopted_by = session_user
    returning l.* into ledger;
    if ledger.kind = 'none' then
        return true;
    end if;
    perform strata.open_ledger(ledger);
    if not has_table_privilege(strata.ledger_name(ledger), 'select, insert, delete') then
        raise exception '% may not write to %', current_user, strata.ledger_name(ledger)
            using errcode = '42501',
                  hint = format('grant select, insert, update, delete on %s to %I', strata.ledger_name(ledger), current_user);
    end if;
    return true;
end
$$;
revoke execute on function strata.ledgers(text, text), strata.bind_ledger(text, text, text, text) from public;
