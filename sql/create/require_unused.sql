-- require_unused: refuses a column that anything but its default and the triggers of ours uses: it would go too, or stop
-- the drop half-way. Raises 2BP01, with what uses it.
create function strata.require_unused(relation regclass, column_name text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    users text;
begin
    select string_agg(distinct pg_describe_object(d.classid, d.objid, d.objsubid), '; ') into users
    from pg_depend d
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.refclassid = 'pg_class'::regclass and d.refobjid = relation and a.attname = column_name
      and d.classid <> 'pg_attrdef'::regclass
      and not exists (select from pg_constraint n where d.classid = 'pg_constraint'::regclass and n.oid = d.objid and n.contype = 'n')
      and not exists (select from pg_trigger t where d.classid = 'pg_trigger'::regclass and t.oid = d.objid
                      and t.tgname like any ('{zz\_strata\_both\_%,strata\_keep\_%}'));
    if users is not null then
        raise exception 'column "%" of relation % is used by %', column_name, relation, users
            using errcode = '2BP01', hint = 'let them use the other column, or drop them';
    end if;
end
$$;
revoke execute on function strata.require_unused(regclass, text) from public;
