-- require_change: the open change to a model. Raises 22004 (null), 42704 (there is none).
create function strata.require_change(to_model text) returns strata.model_change
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    c strata.model_change;
begin
    if to_model is null then
        raise exception 'to_model must not be null' using errcode = '22004', hint = 'look at strata.model_changes()';
    end if;
    select * into c from strata.model_change x where x.to_model = require_change.to_model;
    if c.to_model is null then
        raise exception 'no model is being changed for "%"', to_model
            using errcode = '42704', hint = 'call strata.start_model_change first';
    end if;
    return c;
end
$$;
revoke execute on function strata.require_change from public;
