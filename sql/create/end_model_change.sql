-- end_model_change: the sources of a change stay with the model that they are searched by, and the other is kept no longer:
-- its jobs and, where they lie in a store, its vectors go; a column of the application stays as it is. Before the switch
-- that gives the change up; after it there is no way back. Answers the model that stays. To take triggers
-- off a table it holds that for a moment, from readers too, and waits a fifth of a second at most: whoever comes behind us waits as
-- long. Raises 22004, 42704 (no such change), 55P03 (somebody uses a table: try again).
create function strata.end_model_change(to_model text) returns text
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '200ms' as $$
declare
    c strata.model_change := strata.require_change(to_model);
    s strata.source;
    b strata.source_beside;
begin
    delete from strata.model_change x where x.to_model = c.to_model returning * into c;
    for b in
        select * from strata.source_beside x where x.model in (c.from_model, c.to_model) order by x.entity_type for update
    loop
        delete from strata.source_beside x where x.entity_type = b.entity_type;
        delete from strata.job j where j.entity_type = b.entity_type and j.model = b.model;
        select * into s from strata.source x where x.entity_type = b.entity_type;
        perform strata.write_watcher(s);
        if s.store is null then
            perform strata.unfollow_source(b.entity_type);
        end if;
        perform strata.empty_store(b.store, b.entity_type);
    end loop;
    return case c.state when 'switched' then c.to_model else c.from_model end;
end
$$;
revoke execute on function strata.end_model_change from public;
