-- close_relation: takes every right on a table from everybody but its owner. Answers the statements that give them back.
create function strata.close_relation(relation regclass) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    given  text[] := '{}';
    rights record;
begin
    for rights in
        select a.privilege_type as privilege, a.is_grantable as grantable,
               case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as who
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = relation and a.grantee <> c.relowner
        order by 3, 1
    loop
        given := given || format('grant %s on %s to %s%s', lower(rights.privilege), relation, rights.who,
                                 case when rights.grantable then ' with grant option' else '' end);
        execute format('revoke all on %s from %s cascade', relation, rights.who);
    end loop;
    return given;
end
$$;
revoke execute on function strata.close_relation(regclass) from public;
