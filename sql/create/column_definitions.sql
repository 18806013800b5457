-- column_definitions: the statements that make columns again as they are now, without their values: first the one that
-- adds them, bare; then, for when the values are back, defaults, not null, comments, rights, indexes and constraints.
create function strata.column_definitions(relation regclass, columns text[]) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    with attribute as (
        select a.*, format('alter table %s alter column %I', relation, a.attname) as alter_column,
               pg_get_expr(d.adbin, d.adrelid) as default_expression
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = relation and a.attname = any (columns) and a.attnum > 0 and not a.attisdropped
    ), statement (part, position, text) as (
        select 0, 0::bigint, format('alter table %s ', relation) || string_agg(
            format('add column %I %s', a.attname, format_type(a.atttypid, a.atttypmod))
            || coalesce((select format(' collate %I.%I', n.nspname, c.collname)
                         from pg_collation c join pg_namespace n on n.oid = c.collnamespace
                         where c.oid = a.attcollation and c.collname <> 'default'), ''), ', ' order by a.attnum)
        from attribute a
        union all
        select 1, a.attnum, format('%s set default %s', a.alter_column, a.default_expression)
        from attribute a where a.default_expression is not null
        union all
        select 2, a.attnum, format('update %s set %I = default where %2$I is null', relation, a.attname)
        from attribute a where a.attnotnull and a.default_expression is not null
        union all
        select 3, a.attnum, a.alter_column || ' set not null' from attribute a where a.attnotnull
        union all
        select 4, a.attnum, format('comment on column %s.%I is %L', relation, a.attname, col_description(relation, a.attnum))
        from attribute a where col_description(relation, a.attnum) is not null
        union all
        select 5, a.attnum, format('grant %s (%I) on %s to %s%s', lower(r.privilege_type), a.attname, relation,
                                   case r.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(r.grantee)) end,
                                   case when r.is_grantable then ' with grant option' else '' end)
        from attribute a cross join lateral aclexplode(a.attacl) r
        union all
        select distinct 6, c.oid::bigint, format('alter table %s add constraint %I %s', relation, c.conname, pg_get_constraintdef(c.oid))
        from pg_constraint c join attribute a on a.attnum = any (c.conkey)
        where c.conrelid = relation and c.contype in ('c', 'f', 'u', 'x')
        union all
        select distinct 7, x.indexrelid::bigint, pg_get_indexdef(x.indexrelid)
        from pg_depend d
        join pg_index x on x.indexrelid = d.objid and x.indrelid = relation
        join attribute a on a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.refobjid = relation
          and not exists (select from pg_constraint c where c.conindid = x.indexrelid)
    )
    select array_agg(s.text order by s.part, s.position) from statement s
$$;
revoke execute on function strata.column_definitions(regclass, text[]) from public;
