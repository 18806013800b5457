-- drop_source: forgets a source: its triggers, its jobs and its row. The table, and the vectors in it, stay as they are; those
-- in a store go; a table that is gone is no hindrance, nor one that has another name now: its triggers are found by what they do.
-- Raises 42704 (no such source), 55P03 (a store that goes, and the table, are in use all the time).
create function strata.drop_source(entity_type text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
    b strata.source_beside;
begin
    -- Whoever drops it too waits here, and not for its triggers. Writers, whose jobs refer to it, do not.
    select * into s from strata.source x where x.entity_type = drop_source.entity_type for no key update;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    end if;
    perform strata.lock_apart(entity_type, array(
        select x.name from strata.vector_store x
        where x.name in (s.store, (select y.store from strata.source_beside y where y.entity_type = s.entity_type))
          and not strata.is_shared(x.name, s.entity_type)));
    perform strata.unwatch_source(entity_type);
    perform strata.unfollow_source(entity_type);
    delete from strata.job j where j.entity_type = drop_source.entity_type;
    delete from strata.source_beside x where x.entity_type = drop_source.entity_type returning * into b;
    delete from strata.source x where x.entity_type = drop_source.entity_type;
    perform strata.empty_store(s.store, s.entity_type);
    perform strata.empty_store(b.store, s.entity_type);
end
$$;
revoke execute on function strata.drop_source from public;
