-- begin_ledger: makes the table that a pack is to be kept in step with, empty and as its own tool makes it, in a database
-- that this tool has not seen either; the caller owns it. A table that is there and none of such a tool, and a table of such a
-- tool that has another name, are refused: what it says would be done again.
-- Source: golang-migrate's ensureVersionTable in its database/postgres; Supabase's CLI, pkg/migration/history.go.
-- Raises 22023 (no name), 3F000 (no schema), 42704, 42501.
create function strata.begin_ledger(pack text, name text) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    names text[] := parse_ident(name);
    other record;
begin
    if array_length(names, 1) = 1 then
        names := (strata.session_schemas())[1] || names;
    end if;
    if array_length(names, 1) is distinct from 2 or names[1] is null then
        raise exception 'there is no schema for the table "%"', name
            using errcode = '3F000', hint = 'write schema.table';
    end if;
    select l.* into other from strata.ledgers(begin_ledger.pack, null) l limit 1;
    if to_regclass(format('%I.%I', names[1], names[2])) is not null then
        raise exception '"%" is no table of golang-migrate''s or Supabase''s, or belongs to another pack', name
            using errcode = '42704', hint = 'golang-migrate''s has the columns version bigint and dirty boolean; strata.ledger has what is taken';
    elsif other.kind is not null then
        raise exception '"%" does not exist, and %.% does', name, other.schema_name, other.table_name
            using errcode = '42704', hint = 'name that one, or make the table as its tool makes it';
    end if;
    if names = '{supabase_migrations,schema_migrations}' then
        create schema if not exists supabase_migrations;
        create table supabase_migrations.schema_migrations (version text not null primary key, statements text[], name text);
    else
        execute format('create table %I.%I (version bigint not null primary key, dirty boolean not null)', names[1], names[2]);
    end if;
    return true;
end
$$;
revoke execute on function strata.begin_ledger(text, text) from public;
