-- require_contract_ended: that every version of the contract phases of a pack is applied. Raises 55000.
create function strata.require_contract_ended(pack text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    version bigint;
begin
    select min(m.version) into version
    from strata.pack p
    cross join jsonb_array_elements(p.manifest -> 'phases') f(phase)
    join strata.migration m on m.pack = p.name and m.phase = (f.phase ->> 'number')::int
    where p.name = require_contract_ended.pack and (f.phase ->> 'contract')::boolean and m.state <> 'applied';
    if version is not null then
        raise exception 'item finalize is about what the contract keeps, and its version % is not applied', version
            using errcode = '55000', hint = 'sign it when the contract has ended and nobody has missed anything';
    end if;
end
$$;
revoke execute on function strata.require_contract_ended(text) from public;
