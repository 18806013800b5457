-- 001 enable pgvector, and a private schema in which this pack keeps its books.
--
-- Why: vectors need their type, and every later version must be able to say what it found and what it made.
-- Done otherwise than in the document: the version is read from the catalog, because no function of that name exists
-- and the error would take the extension back with it. What was there before is noted, so that the way down never
-- removes what the way up did not bring. On Supabase the extension goes into its schema `extensions`.

create schema if not exists strata_aurum;
comment on schema strata_aurum is 'books of the migrations of pack aurum: what they made, and what they must give back';

create table if not exists strata_aurum.made (
    version  int  not null,
    kind     text not null check (kind in (
                 'extension', 'dependant', 'table', 'column', 'constraint', 'index', 'model', 'function', 'grant')),
    relation text not null default '',
    name     text not null,
    was      text,
    primary key (version, kind, relation, name)
);
comment on table strata_aurum.made is
    'what each version made; `was` is the definition that a replaced constraint had, null where nothing was there';

create table if not exists strata_aurum.kept (
    version  int         not null,
    relation text        not null,
    id       uuid        not null,
    kept     jsonb       not null,
    kept_at  timestamptz not null default now(),
    primary key (version, relation, id)
);
comment on table strata_aurum.kept is
    'what people had written into columns and tables that a down removed; the next up of that version puts it back';

-- full_name: schema and name of a relation, whatever the search_path.
create or replace function strata_aurum.full_name(relation regclass) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = relation
$$;

-- vector_schema: the schema that pgvector lives in.
create or replace function strata_aurum.vector_schema() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select e.extnamespace::regnamespace::text from pg_extension e where e.extname = 'vector'
$$;

-- expect_columns: refuses a column that is there with another type, and notes those that are not there yet.
-- columns: {name: type as format_type writes it}. Raises 42804.
create or replace function strata_aurum.expect_columns(version int, relation regclass, columns jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wanted record;
begin
    for wanted in
        select e.key as name, e.value as type, a.atttypid is not null as there,
               regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*\.', '') as found
        from jsonb_each_text(columns) e
        left join pg_attribute a
            on a.attrelid = relation and a.attname = e.key and a.attnum > 0 and not a.attisdropped
        order by e.key
    loop
        if not wanted.there then
            insert into strata_aurum.made (version, kind, relation, name)
            values (expect_columns.version, 'column', strata_aurum.full_name(relation), wanted.name)
            on conflict do nothing;
        elsif wanted.found <> wanted.type then
            raise exception 'column %.% is %, not %', strata_aurum.full_name(relation), wanted.name, wanted.found, wanted.type
                using errcode = '42804',
                      hint = 'rename or drop the old column, or set the variables of the pack to what it holds';
        end if;
    end loop;
end
$$;

-- note_constraint: remembers how a constraint was defined before this version puts its own in that place.
create or replace function strata_aurum.note_constraint(version int, relation regclass, name text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
    insert into strata_aurum.made (version, kind, relation, name, was)
    values (note_constraint.version, 'constraint', strata_aurum.full_name(note_constraint.relation), note_constraint.name,
            (select pg_get_constraintdef(c.oid) from pg_constraint c
             where c.conrelid = note_constraint.relation and c.conname = note_constraint.name))
    on conflict do nothing
$$;

-- index_definition: an index without the names of schemas, which come and go with the search_path.
create or replace function strata_aurum.index_definition(index regclass) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select replace(replace(pg_get_indexdef(index), 'public.', ''), strata_aurum.vector_schema() || '.', '')
$$;

-- note_index: makes room for an index that is about to be built. A broken one of the name, left by a failed build, is
-- renamed to <name>_going for the statement that drops it; one that was never ours must be the very same. Raises 42P07.
create or replace function strata_aurum.note_index(version int, relation regclass, name text, definition text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    schema text := (select c.relnamespace::regnamespace from pg_class c where c.oid = relation);
    there  oid := to_regclass(format('%s.%I', schema, name));
    ours   boolean := exists (select from strata_aurum.made m where m.version = note_index.version and m.kind = 'index'
                              and m.name = note_index.name);
begin
    if exists (select from pg_index i where i.indexrelid = there and i.indrelid = relation and not i.indisvalid) then
        execute format('alter index %s.%I rename to %I', schema, name, name || '_going');
        there := null;
    end if;
    if there is null then
        insert into strata_aurum.made (version, kind, relation, name)
        values (note_index.version, 'index', schema, note_index.name) on conflict do nothing;
    elsif not ours and strata_aurum.index_definition(there) <> definition then
        raise exception 'index %.% is there already and is another: %', schema, name, pg_get_indexdef(there)
            using errcode = '42P07', hint = 'rename or drop it, then run this version again';
    end if;
end
$$;

-- retire_indexes: renames the indexes that a version made to <name>_going. Dropping them concurrently comes after it,
-- and can be repeated; an index that was there before the version keeps its name and stays.
create or replace function strata_aurum.retire_indexes(version int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    item record;
begin
    for item in select m.relation as schema, m.name from strata_aurum.made m
                where m.version = retire_indexes.version and m.kind = 'index' loop
        execute format('alter index if exists %s.%I rename to %I', item.schema, item.name, item.name || '_going');
    end loop;
    delete from strata_aurum.made m where m.version = retire_indexes.version and m.kind = 'index';
end
$$;

-- keep: saves what people wrote into the columns that a version made, before its down drops them. A value that equals
-- the column's default is nobody's. `except`: columns that can be computed again.
create or replace function strata_aurum.keep(version int, relation regclass, except_columns text[] default '{}') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    picked text;
    written text;
begin
    select string_agg(format('t.%I', a.attname), ', ' order by a.attnum),
           string_agg(format('t.%I is distinct from %s', a.attname, coalesce(pg_get_expr(d.adbin, d.adrelid), 'null')), ' or ')
    into picked, written
    from strata_aurum.made m
    join pg_attribute a on a.attrelid = keep.relation and a.attname = m.name and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where m.version = keep.version and m.kind = 'column' and m.relation = strata_aurum.full_name(keep.relation)
      and a.attname <> all (except_columns);
    if picked is not null then
        -- Nobody writes between the saving and the dropping; everybody reads.
        execute format('lock table %s in share row exclusive mode', strata_aurum.full_name(relation));
        execute format('insert into strata_aurum.kept as k (version, relation, id, kept)
                        select $1, $2, t.id, to_jsonb(w) from %s t cross join lateral (select %s) w where %s
                        on conflict on constraint kept_pkey do update set kept = k.kept || excluded.kept',
                       strata_aurum.full_name(relation), picked, written)
            using version, strata_aurum.full_name(relation);
    end if;
end
$$;

-- bring_back: puts back what keep saved of columns, into the rows that are still there.
create or replace function strata_aurum.bring_back(version int, relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    whole   text := strata_aurum.full_name(relation);
    columns text;
begin
    select string_agg(distinct quote_ident(j.name), ', ') into columns
    from strata_aurum.kept k cross join lateral jsonb_object_keys(k.kept) j(name)
    where k.version = bring_back.version and k.relation = whole;
    if columns is not null then
        perform set_config('strata_aurum.backfill', 'on', true);
        execute format('update %1$s t set (%2$s) = (select %2$s from jsonb_populate_record(t, k.kept) x)
                        from strata_aurum.kept k where k.version = $1 and k.relation = $2 and k.id = t.id', whole, columns)
            using version, whole;
        perform set_config('strata_aurum.backfill', '', true);
        delete from strata_aurum.kept k where k.version = bring_back.version and k.relation = whole;
    end if;
end
$$;

-- undo: takes back the columns and constraints that a version made on a table. One table a transaction: whoever locks two
-- against writers may meet one who has them in the other order. A constraint that stood in the place of an older one
-- gives it back, not yet validated: that is for settle, in a transaction of its own.
create or replace function strata_aurum.undo(version int, relation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    item record;
begin
    for item in select * from strata_aurum.made m
                where m.version = undo.version and m.relation = undo.relation and m.kind in ('constraint', 'column')
                order by m.kind desc, m.name loop
        execute format('alter table if exists %s drop %s if exists %I', item.relation, item.kind, item.name);
        if item.was is not null then
            execute format('alter table %s add constraint %I %s not valid',
                           item.relation, item.name, regexp_replace(item.was, ' NOT VALID$', ''));
        end if;
    end loop;
end
$$;

-- settle: ends a down. Validates the older constraints that undo gave back, and forgets what the version had made.
create or replace function strata_aurum.settle(version int) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    item record;
begin
    for item in select * from strata_aurum.made m where m.version = settle.version and m.was !~ ' NOT VALID$' loop
        execute format('alter table if exists %s validate constraint %I', item.relation, item.name);
    end loop;
    delete from strata_aurum.made m where m.version = settle.version;
end
$$;

-- keep_updated_at: for triggers on tables whose own trigger moves updated_at on every update. People read it as "last
-- edited", and a migration or an embedding is no edit. Runs after the table's own trigger, by its name.
create or replace function strata_aurum.keep_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.updated_at := old.updated_at;
    return new;
end
$$;

do $$
begin
    if not exists (select from pg_catalog.pg_extension e where e.extname = 'vector') then
        insert into strata_aurum.made (version, kind, name) values (1, 'extension', 'vector') on conflict do nothing;
        execute 'create extension vector'
                || case when to_regnamespace('extensions') is not null then ' schema extensions' else '' end;
    end if;
    if to_regtype('vector') is null then
        raise exception 'type vector is in schema %, which is not on the search_path', strata_aurum.vector_schema()
            using errcode = '42704',
                  hint = format('run "alter role %I set search_path = public, %s", then this version again',
                                session_user, strata_aurum.vector_schema());
    end if;
end
$$;

-- vector_dependants: what uses pgvector and belongs to no extension.
create or replace function strata_aurum.vector_dependants() returns table (name text, schema text)
language sql stable set search_path = pg_catalog, pg_temp as $$
    with recursive parts (classid, objid) as (
        select d.classid, d.objid from pg_depend d join pg_extension e on e.oid = d.refobjid
        where d.refclassid = 'pg_extension'::regclass and e.extname = 'vector' and d.deptype = 'e'
        union
        select d.classid, d.objid from pg_depend d join parts p on p.classid = d.refclassid and p.objid = d.refobjid
        where d.deptype = 'i'
    )
    select distinct pg_describe_object(d.classid, d.objid, d.objsubid), o.schema
    from pg_depend d
    join parts p on p.classid = d.refclassid and p.objid = d.refobjid
    cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) o
    where d.deptype in ('n', 'a')
      and not exists (select from parts q where q.classid = d.classid and q.objid = d.objid)
      and not exists (select from pg_depend m where m.classid = d.classid and m.objid = d.objid and m.deptype = 'e')
$$;

-- What used it before is no hindrance on the way down.
insert into strata_aurum.made (version, kind, name)
select distinct 1, 'dependant', v.name from strata_aurum.vector_dependants() v
on conflict do nothing;
