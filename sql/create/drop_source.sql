-- drop_source: forgets a source: its triggers, its jobs and its row. The table, and the vectors in it, stay as they are;
-- a table that is gone is no hindrance. Raises 42704 (no such source).
create function strata.drop_source(entity_type text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s     strata.source;
    event text;
begin
    select * into s from strata.source x where x.entity_type = drop_source.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    end if;
    if to_regclass(format('%I.%I', s.relation_schema, s.relation_name)) is not null then
        foreach event in array array['insert', 'update', 'delete', 'truncate'] loop
            execute format('drop trigger if exists %I on %I.%I',
                           'strata_' || event || '_' || entity_type, s.relation_schema, s.relation_name);
        end loop;
    end if;
    delete from strata.job j where j.entity_type = drop_source.entity_type;
    delete from strata.source x where x.entity_type = drop_source.entity_type;
end
$$;
revoke execute on function strata.drop_source from public;
