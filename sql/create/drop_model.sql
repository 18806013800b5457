-- drop_model: forgets a model that no source uses. Raises 42704 (not known), 2BP01 (a source uses it, or a change).
create function strata.drop_model(name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    user_of text := (select min(s.entity_type) from strata.source s where s.model = drop_model.name);
    change  text := (select c.to_model from strata.model_change c where drop_model.name in (c.from_model, c.to_model));
begin
    if change is not null then
        raise exception 'model "%" is part of a change', name
            using errcode = '2BP01', hint = format('call strata.end_model_change(%L) first', change);
    end if;
    if user_of is not null then
        raise exception 'model "%" is used by source "%"', name, user_of
            using errcode = '2BP01', hint = format('call strata.drop_source(%L) first', user_of);
    end if;
    delete from strata.model m where m.name = drop_model.name;
    if not found then
        raise exception 'model "%" does not exist', name using errcode = '42704', hint = 'look into strata.model';
    end if;
end
$$;
revoke execute on function strata.drop_model from public;
