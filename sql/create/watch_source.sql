-- watch_source: the triggers by which a source hears of every change of its table. Updates are looked at row by row: one
-- that leaves the text costs a comparison (strata.watch_row), and nothing is copied aside. A key that changes leaves the
-- job of the old one to the claim, which ends what is gone. On a partitioned table a statement's triggers fire only where
-- the statement names the table itself, and a row that moves between partitions is deleted and inserted: there triggers for
-- each row stand beside those of the statement, which Postgres copies to every partition, those that are attached later
-- included. They do not look at rows that go: the job of one that moved must outlive that.
create function strata.watch_source(entity_type text, relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s        strata.source;
    of_table text;
    event    text;
    tables   text;
    level    text;
    caller   text;
begin
    select * into s from strata.source x where x.entity_type = watch_source.entity_type;
    perform strata.write_watcher(s);
    select case when c.relkind = 'p' then 'parted' else 'plain' end into of_table from pg_class c where c.oid = relation;
    for event, tables, level, caller in
        select e.event, e.tables, e.level,
               case when e.kind = 'plain' then strata.row_watch(s) else strata.watcher_name(entity_type) end
        from (values ('any', 'insert', 'referencing new table as new_rows', 'statement'),
                     ('plain', 'update', '', 'row'),
                     ('parted', 'update', 'referencing old table as old_rows new table as new_rows', 'statement'),
                     ('any', 'delete', 'referencing old table as old_rows', 'statement'),
                     ('any', 'truncate', '', 'statement'),
                     ('parted', 'row_insert', '', 'row'),
                     ('parted', 'row_update', '', 'row')) e(kind, event, tables, level)
        where e.kind in ('any', of_table)
    loop
        execute format('create trigger %I after %s on %s %s for each %s execute function %s',
                       'strata_' || event || '_' || entity_type, replace(event, 'row_', ''), relation, tables, level, caller);
    end loop;
end
$$;
revoke execute on function strata.watch_source from public;

-- unwatch_source: removes the triggers of a source, whatever its table is called by now, and their function. Those of
-- partitions go with the trigger they are copies of.
create function strata.unwatch_source(entity_type text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    watcher regprocedure := to_regprocedure(strata.watcher_name(entity_type));
    ours    record;
begin
    for ours in
        select t.tgname, t.tgrelid::regclass as relation from pg_trigger t
        where t.tgparentid = 0 and (t.tgfoid = watcher or strata.watches_rows_of(t, entity_type))
    loop
        execute format('drop trigger %I on %s', ours.tgname, ours.relation);
    end loop;
    if watcher is not null then
        execute format('drop function %s', watcher);
    end if;
end
$$;
revoke execute on function strata.unwatch_source from public;
