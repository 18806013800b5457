-- require_pack: refuses a pack that this database was never told about. Raises 42704.
create function strata.require_pack(pack text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from strata.pack p where p.name = require_pack.pack) then
        raise exception 'pack "%" is not known here', pack
            using errcode = '42704', hint = format('run "strata push --pack %s", or look into strata.pack', pack);
    end if;
end
$$;
revoke execute on function strata.require_pack(text) from public;
