-- drop_tables: drops every table of the current schema with what hangs on it, as golang-migrate does: one after another,
-- with cascade. Members of extensions stay. Refused where something of another schema would go too.
-- Raises 3F000 (no current schema), 42501 (a schema that is not the application's), 2BP01 (something else would go).
do $$
declare
    here   text := pg_catalog.current_schema();
    before text[];
    lost   text;
    t      record;
begin
    if here is null then
        raise exception 'no schema of the search_path exists' using errcode = '3F000';
    end if;
    if here like 'pg\_%' or here in ('strata', 'information_schema', 'extensions', 'supabase_migrations')
       or exists (select from pg_catalog.pg_namespace n where n.nspname = here
                  and here in ('auth', 'storage', 'realtime', 'vault', 'graphql', 'graphql_public', 'cron', 'net', 'pgbouncer')) then
        raise exception 'schema % is not the application''s', here
            using errcode = '42501', hint = 'set search_path: --database "postgres://...?options=-csearch_path%3Dpublic"';
    end if;
    create temp view strata_outside as
        select pg_catalog.format('%s', pg_catalog.pg_describe_object(o.classid, o.objid, 0)) as what
        from (
            select 'pg_catalog.pg_class'::regclass as classid, c.oid as objid, c.relnamespace as schema
            from pg_catalog.pg_class c where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S')
            union all
            select 'pg_catalog.pg_proc'::regclass, p.oid, p.pronamespace from pg_catalog.pg_proc p
            union all
            select 'pg_catalog.pg_constraint'::regclass, k.oid, c.relnamespace
            from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
            union all
            select 'pg_catalog.pg_policy'::regclass, p.oid, c.relnamespace
            from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
            union all
            select 'pg_catalog.pg_trigger'::regclass, g.oid, c.relnamespace
            from pg_catalog.pg_trigger g join pg_catalog.pg_class c on c.oid = g.tgrelid where not g.tgisinternal
        ) o
        join pg_catalog.pg_namespace n on n.oid = o.schema
        where n.nspname <> current_schema() and n.nspname::text not like 'pg\_%';
    before := array(select what from strata_outside);
    for t in
        select c.relname from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = here and c.relkind in ('r', 'p') and not exists (
            select from pg_catalog.pg_depend d
            where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e')
    loop
        execute pg_catalog.format('drop table if exists %I.%I cascade', here, t.relname);
    end loop;
    select pg_catalog.string_agg(b.what, ', ' order by b.what) into lost
    from pg_catalog.unnest(before) b (what) where b.what not in (select o.what from strata_outside o);
    drop view strata_outside;
    if lost is not null then
        raise exception 'dropping the tables of schema % would also drop %', here, lost
            using errcode = '2BP01', hint = 'drop these first if they may go';
    end if;
end
$$
