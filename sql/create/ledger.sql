-- ledger: the table of another migration tool that a pack is kept in step with. Kind none: with none, whatever is found.
create table strata.ledger (
    pack         text        primary key references strata.pack on delete cascade,
    kind         text        not null check (kind in ('golang-migrate', 'supabase', 'none')),
    schema_name  text,
    table_name   text,
    adopted_at   timestamptz not null default clock_timestamp(),
    adopted_by   text        not null default session_user,
    unique (schema_name, table_name),
    check ((kind = 'none') = (schema_name is null) and (kind = 'none') = (table_name is null))
);

-- ledger_name: how a ledger is called in a message.
create function strata.ledger_name(ledger strata.ledger) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('%I.%I', ledger.schema_name, ledger.table_name)
$$;

-- golang_lock_id: the advisory lock that golang-migrate holds while it is at work.
-- Source: GenerateAdvisoryLockId in its database/util.go: crc32 of schema, table and database, times a constant.
create function strata.golang_lock_id(schema_name text, table_name text, database text) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    bytes bytea  := convert_to(schema_name, 'UTF8') || '\x00' || convert_to(table_name, 'UTF8') || '\x00'
                    || convert_to(database, 'UTF8');
    crc   bigint := 4294967295;
begin
    for at in 0 .. length(bytes) - 1 loop
        crc := crc # get_byte(bytes, at);
        for bit in 1 .. 8 loop
            crc := case crc & 1 when 1 then (crc >> 1) # 3988292384 else crc >> 1 end;
        end loop;
    end loop;
    return (crc # 4294967295) * 1486364155 % 4294967296;
end
$$;

-- golang_is_at_work: whether golang-migrate holds its lock. Its command line names the database with a slash before it.
-- The lock is ours to the end of this transaction when it does not, so that it cannot begin before we have said that we do.
create function strata.golang_is_at_work(schema_name text, table_name text) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp as $$
    select not bool_and(pg_try_advisory_xact_lock(strata.golang_lock_id($1, $2, slash || current_database())))
    from unnest(array['/', '']) as slash
$$;

-- open_ledger: locks a ledger against everybody who writes to it, and returns it. It is written with the rights of
-- strata's owner, so a table that would run somebody's code when it is written is refused: the lock keeps it as it was
-- looked at. Raises 42P01 (gone), 42809 (another kind of thing), 55P03.
create function strata.open_ledger(ledger strata.ledger) returns regclass
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    named    text := strata.ledger_name(ledger);
    relation regclass;
    fault    text;
begin
    if to_regclass(named) is null then
        raise exception '% is gone, with which pack % is kept in step', named, ledger.pack
            using errcode = '42P01', hint = 'run "strata up --no-adopt" to go on without it';
    end if;
    execute format('lock table %s in share row exclusive mode', named);
    relation := named::regclass;
    select case
        when c.relkind <> 'r' or c.relispartition then 'is no plain table'
        when exists (select from pg_rewrite r where r.ev_class = c.oid) then 'has rules'
        when exists (select from pg_trigger t where t.tgrelid = c.oid) then 'has triggers'
        when row_security_active(c.oid) then 'has row level security'
        when exists (select from pg_constraint k where k.conrelid = c.oid and k.contype not in ('p', 'u', 'n')) then
            'has checks'
        when exists (select from pg_attrdef d where d.adrelid = c.oid) then 'has defaults'
        when exists (select from pg_index i where i.indrelid = c.oid and (i.indexprs is not null or i.indpred is not null)) then
            'has an index on an expression'
        when exists (
            select from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
              and t.typnamespace <> 'pg_catalog'::regnamespace) then 'has a column of a foreign type'
        end into fault
    from pg_class c
    where c.oid = relation;
    if fault is not null then
        raise exception '% %, and strata does not write to such a table for another tool', named, fault
            using errcode = '42809', hint = 'make it the plain table that the tool made, or run with --no-adopt';
    end if;
    return relation;
end
$$;

-- golang_row: what golang-migrate's table says when versions stand like this: '12', '12 dirty', '-1 dirty', or null.
-- A version under way is dirty; on the way down it is the one before it.
create function strata.golang_row(versions bigint[], states text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    with v as (
        select version, state from unnest($1, $2) as u (version, state) where state <> 'pending'
    ), half as (
        select version, state from v where state <> 'applied' order by version desc limit 1
    )
    select case h.state
        when 'applying' then h.version || ' dirty'
        when 'reverting' then coalesce((select max(v.version) from v where v.version < h.version), -1) || ' dirty'
        else (select max(v.version)::text from v)
    end
    from (select) one left join half h on true
$$;

-- write_golang: golang-migrate's one row. `before` is what it must say now, null: nothing; force: whatever it says.
-- Raises ST007 (another tool has moved it), 55P03 (golang-migrate is at work).
create function strata.write_golang(ledger strata.ledger, wanted text, before text, force boolean) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    relation regclass := strata.open_ledger(ledger);
    found    text;
begin
    execute format('select version || case when dirty then '' dirty'' else '''' end from %s limit 1', relation) into found;
    if found is not distinct from wanted then
        return;
    end if;
    -- Where we have marked it dirty before, golang-migrate holds its lock only to find that out.
    if not force and coalesce(before, '') not like '% dirty'
       and strata.golang_is_at_work(ledger.schema_name, ledger.table_name) then
        raise exception 'golang-migrate is at work on %', strata.ledger_name(ledger)
            using errcode = '55P03', hint = 'wait for it to end, and run the same command again';
    end if;
    if not force and found is distinct from before then
        raise exception '% is at version % and no longer at %: another tool has moved it', strata.ledger_name(ledger),
            coalesce(found, 'none'), coalesce(before, 'none')
            using errcode = 'ST007', hint = 'run the same command again: it looks at what was done';
    end if;
    execute format('delete from %s', relation);
    if wanted is not null then
        execute format('insert into %s (version, dirty) values ($1, $2)', relation)
            using split_part(wanted, ' ', 1)::bigint, wanted like '% dirty';
    end if;
end
$$;

-- write_supabase: one row for each of these versions that is applied, none for one that is not.
create function strata.write_supabase(ledger strata.ledger, versions bigint[]) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    relation regclass := strata.open_ledger(ledger);
    columns  text;
    chosen   text;
begin
    execute format(
        'delete from %s l using strata.migration m
         where m.pack = $1 and m.version = any ($2) and m.state = ''pending'' and ltrim(l.version, ''0'') = ltrim(m.version::text, ''0'')',
        relation) using ledger.pack, versions;
    -- Older tables have fewer columns.
    select coalesce(string_agg(', ' || a.attname, '' order by a.attname), ''),
           coalesce(string_agg(case a.attname when 'name' then ', m.name'
               else ', (select array_agg(e order by n) from jsonb_array_elements_text(m.entry -> ''statements'') with ordinality s (e, n))' end,
               '' order by a.attname), '')
        into columns, chosen
    from pg_attribute a
    where a.attrelid = relation and not a.attisdropped
      and (a.attname = 'name' and a.atttypid = 'text'::regtype or a.attname = 'statements' and a.atttypid = 'text[]'::regtype);
    execute format(
        'insert into %1$s (version%2$s)
         select coalesce(m.entry ->> ''version'', m.version::text)%3$s
         from strata.migration m
         where m.pack = $1 and m.version = any ($2) and m.state = ''applied''
           and not exists (select from %1$s l where ltrim(l.version, ''0'') = ltrim(m.version::text, ''0''))',
        relation, columns, chosen) using ledger.pack, versions;
end
$$;

-- keep_ledger: trigger function: what another tool believes follows strata.migration, in the same transaction, whoever
-- moves a version.
create function strata.keep_ledger() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    ledger  strata.ledger;
    moved   bigint[];
    wanted  text;
    earlier text;
begin
    for ledger in select l.* from strata.ledger l where l.kind <> 'none' loop
        select array_agg(n.version) into moved
        from now_rows n join then_rows t using (pack, version)
        where n.pack = ledger.pack and n.state <> t.state;
        continue when moved is null;
        if ledger.kind = 'supabase' then
            perform strata.write_supabase(ledger, moved);
            continue;
        end if;
        select strata.golang_row(array_agg(m.version), array_agg(m.state)),
               strata.golang_row(array_agg(m.version), array_agg(coalesce(t.state, m.state)))
            into wanted, earlier
        from strata.migration m left join then_rows t using (pack, version)
        where m.pack = ledger.pack;
        perform strata.write_golang(ledger, wanted, earlier, false);
    end loop;
    return null;
end
$$;
create trigger keep_ledger after update on strata.migration
    referencing old table as then_rows new table as now_rows
    for each statement execute function strata.keep_ledger();
-- Also for a file that has silenced the triggers of its session.
alter table strata.migration enable always trigger keep_ledger;

-- reset_ledger: makes the ledger of a pack say what strata.migration says, whatever it said.
create function strata.reset_ledger(pack text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    ledger   strata.ledger;
    versions bigint[];
    states   text[];
begin
    select l.* into ledger from strata.ledger l where l.pack = reset_ledger.pack and l.kind <> 'none';
    if found then
        select array_agg(m.version), array_agg(m.state) into versions, states
        from strata.migration m where m.pack = reset_ledger.pack;
        if ledger.kind = 'supabase' then
            perform strata.write_supabase(ledger, versions);
        else
            perform strata.write_golang(ledger, strata.golang_row(versions, states), null, true);
        end if;
    end if;
end
$$;

revoke execute on function
    strata.golang_lock_id(text, text, text), strata.golang_is_at_work(text, text), strata.open_ledger(strata.ledger),
    strata.golang_row(bigint[], text[]), strata.write_golang(strata.ledger, text, text, boolean),
    strata.write_supabase(strata.ledger, bigint[]), strata.keep_ledger(), strata.reset_ledger(text),
    strata.ledger_name(strata.ledger)
from public;
