-- 002 verify: the three tables, their row level security, their policies, and who may do what.
with wanted (name) as (
    values ('insights'), ('ai_conversation_memory'), ('daily_reflections')
), checks (check_name, expected, actual) as (
    select 'row level security of ' || w.name, 'true', c.relrowsecurity::text
    from wanted w left join pg_catalog.pg_class c on c.oid = to_regclass('public.' || w.name)
    union all
    select 'policies of ' || w.name, 'ALL to authenticated, using and with check (select auth.uid()) = user_id',
           string_agg(p.cmd || ' to ' || array_to_string(p.roles, ', ')
               || case when p.qual = p.with_check then ', using and with check ' else ', using ' || p.qual || ' with check ' end
               || case when p.with_check ~* '^\(\( SELECT auth\.uid\(\) AS uid\) = user_id\)$'
                       then '(select auth.uid()) = user_id' else p.with_check end, '; ')
    from wanted w left join pg_catalog.pg_policies p on p.schemaname = 'public' and p.tablename = w.name
    group by w.name
    union all
    select format('%s of %s on %s', right_name, role, w.name), (role <> 'anon')::text,
           has_table_privilege(role, 'public.' || w.name, right_name)::text
    from wanted w, unnest(array['anon', 'authenticated', 'service_role']) role,
         unnest(array['select', 'insert', 'update', 'delete']) right_name
    union all
    select 'truncate of authenticated on ' || w.name, 'false', has_table_privilege('authenticated', 'public.' || w.name, 'truncate')::text
    from wanted w
    union all
    select 'index ' || i.name, 'valid', case when x.indisvalid then 'valid' end
    from (values ('idx_insights_user_entity'), ('idx_insights_user_created'), ('idx_ai_conversation_memory_conversation'),
                 ('daily_reflections_user_day'), ('idx_daily_reflections_journal_entry')) i (name)
    left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.' || i.name)
    union all
    select 'index idx_insights_user_entity is on', '(user_id, entity_type, entity_id)',
           substring(pg_get_indexdef(to_regclass('public.idx_insights_user_entity')) from '\(.*\)')
    union all
    select 'type of insights.embedding', 'vector(${embedding_dimensions})',
           (select regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*\.', '') from pg_catalog.pg_attribute a
            where a.attrelid = to_regclass('public.insights') and a.attname = 'embedding')
    union all
    select 'foreign keys to auth.users that cascade', '3',
           (select count(*)::text from pg_catalog.pg_constraint c, wanted w
            where c.conrelid = to_regclass('public.' || w.name) and c.contype = 'f'
              and c.confrelid = to_regclass('auth.users') and c.confdeltype = 'c' and c.convalidated)
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
