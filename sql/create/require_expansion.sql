-- require_expansion: the expansion of a column, in one of the states that the caller can go on from. Raises 42704, 55000.
create function strata.require_expansion(relation regclass, new_column text, states text[]) returns strata.expansion
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    e strata.expansion;
begin
    select x.* into e from strata.expansion x
    where x.relation = require_expansion.relation::text and x.new_column = require_expansion.new_column;
    if e.relation is null then
        raise exception 'column "%" of relation % stands in for no other', new_column, relation
            using errcode = '42704', hint = 'look into strata.expansion';
    elsif e.state <> all (states) then
        raise exception 'column "%" of relation % is %, not %', new_column, relation, e.state, array_to_string(states, ' or ')
            using errcode = '55000',
                  hint = case e.state when 'expanded' then format('fill it first: call strata.fill_column(%L, %L)', relation, new_column)
                                      when 'contracted' then format('bring the old column back first: call strata.revert_contract(%L, %L)', relation, new_column)
                                      else format('end what has begun: call strata.%s(%L, %L)',
                                                  case e.state when 'reverting' then 'revert_contract' else 'contract_column' end,
                                                  relation, new_column) end;
    end if;
    return e;
end
$$;
revoke execute on function strata.require_expansion(regclass, text, text[]) from public;
