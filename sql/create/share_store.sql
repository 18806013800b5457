-- share_store: lets those read a store who may read the vectors of a source as they are kept now: to whom a switch gives
-- another place must find as many rows there. The policy of the store keeps them to what they may see. What roles may write
-- to the store of the source, they may write to the new one.
-- SECURITY DEFINER: the stores belong to whom the extension belongs to.
create function strata.share_store(s strata.source, store text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kept    regclass := to_regclass(format('%I.%I', s.relation_schema, s.relation_name));
    reader  record;
begin
    for reader in
        select distinct case g.grantee when 0 then 'public' else quote_ident(r.rolname) end as name, g.privilege
        from (
            select c.relowner as grantee, 'select' as privilege from pg_class c where c.oid = kept
            union all
            select a.grantee, 'select' from pg_class c, aclexplode(c.relacl) a where c.oid = kept and a.privilege_type = 'SELECT'
            union all
            select a.grantee, 'select' from pg_attribute c, aclexplode(c.attacl) a
            where c.attrelid = kept and c.attname = s.key_column and not c.attisdropped and a.privilege_type = 'SELECT'
            union all
            select a.grantee, a.privilege_type from pg_class c, aclexplode(c.relacl) a
            where c.oid = to_regclass('strata_vectors.' || quote_ident(s.store))
              and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        ) g
        left join pg_roles r on r.oid = g.grantee
        where g.grantee = 0 or r.rolname is not null
        order by 1, 2
    loop
        execute format('grant usage on schema strata_vectors to %s', reader.name);
        execute format('grant %s on strata_vectors.%I to %s', reader.privilege, store, reader.name);
    end loop;
end
$$;
revoke execute on function strata.share_store from public;
