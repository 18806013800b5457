-- retire_table: takes a table away from everybody and keeps it as it is, in a schema of its own that only its owner may
-- use. Refused like a drop while anything else uses it. Does nothing where it was retired before.
-- Raises 42P01 (no such table), 2BP01 (it is in use), 55000 (it is a source).
create function strata.retire_table(relation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k      strata.kept := strata.kept_of(relation, null);
    away   text;
    source text := (select s.entity_type from strata.source s
                    where format('%I.%I', s.relation_schema, s.relation_name) = relation limit 1);
begin
    if k.state = 'kept' then
        return;
    elsif to_regclass(relation) is null then
        raise exception 'relation "%" does not exist', relation
            using errcode = '42P01', hint = 'write it with its schema, as in public.events';
    elsif source is not null then
        raise exception 'relation % is the source "%"', relation, source
            using errcode = '55000', hint = format('select strata.drop_source(%L) first', source);
    end if;
    begin
        execute format('drop table %s', relation);
        raise exception 'it could be dropped' using errcode = 'ST000';
    exception when sqlstate 'ST000' then
        null;
    end;
    insert into strata.kept (pack, version, relation, state)
    select r.pack, s.version, retire_table.relation, 'kept'
    from (select) one
    left join strata.run r on r.id = nullif(current_setting('strata.run', true), '')::uuid
    left join strata.run_step s on s.run = r.id and s.state = 'running'
    limit 1
    returning * into k;
    k.definition := strata.close_relation(relation::regclass);
    away := 'strata_' || strata.copy_name(relation, null);
    execute format('create schema %s', away);
    k.copy := format('%s.%I', away, (parse_ident(relation))[2]);
    execute format('alter table %s set schema %s', relation, away);
    update strata.kept x set copy = k.copy, definition = k.definition, done = true where x.id = k.id;
    update strata.kept x set rows = strata.count_kept(x.id) where x.id = k.id;
end
$$;
revoke execute on function strata.retire_table(text) from public;
