-- watch_source: the triggers by which a source hears of every change of its table. On a partitioned table a statement's
-- triggers fire only where the statement names the table itself, so that what is written to a partition by its own name
-- would go unseen: there a trigger for each row stands beside them, which Postgres copies to every partition, those that
-- are attached later included. It does not look at rows that go: a row that moves between partitions is deleted and
-- inserted, and its job must outlive that; the job of one that is gone ends when it is claimed.
create function strata.watch_source(entity_type text, relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s      strata.source;
    event  text;
    tables text;
    fires  text;
begin
    for event, tables in values ('insert', 'referencing new table as new_rows'),
                                ('update', 'referencing old table as old_rows new table as new_rows'),
                                ('delete', 'referencing old table as old_rows'), ('truncate', '') loop
        execute format('create trigger %I after %s on %s %s for each statement execute function strata.enqueue(%L)',
                       'strata_' || event || '_' || entity_type, event, relation, tables, entity_type);
    end loop;
    if not exists (select from pg_partitioned_table p where p.partrelid = relation) then
        return;
    end if;
    select * into s from strata.source x where x.entity_type = watch_source.entity_type;
    for event, fires in values ('insert', '(new.%2$I is null) = (%3$s <> '''')'),
                               ('update', 'new.%1$I <> old.%1$I or %3$s <> %4$s or (new.%2$I is null and old.%2$I is not null)') loop
        execute format('create trigger %I after %s on %s for each row when (%s) execute function strata.enqueue_row(%L)',
                       'strata_row_' || event || '_' || entity_type, event, relation,
                       format(fires, s.key_column, s.vector_column,
                              strata.text_expression(s.title_column, s.content_columns, 'new'),
                              strata.text_expression(s.title_column, s.content_columns, 'old')), entity_type);
    end loop;
end
$$;
revoke execute on function strata.watch_source from public;

-- unwatch_source: removes the triggers of a source, whatever its table is called by now. Those of partitions go with the
-- trigger they are copies of.
create function strata.unwatch_source(entity_type text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    ours record;
begin
    for ours in
        select t.tgname, t.tgrelid::regclass as relation from pg_trigger t
        where t.tgfoid in ('strata.enqueue'::regproc, 'strata.enqueue_row'::regproc) and t.tgparentid = 0
          and t.tgargs = convert_to(entity_type, getdatabaseencoding()) || '\x00'
    loop
        execute format('drop trigger %I on %s', ours.tgname, ours.relation);
    end loop;
end
$$;
revoke execute on function strata.unwatch_source from public;
