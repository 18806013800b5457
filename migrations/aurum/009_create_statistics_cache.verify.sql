-- 009 verify: every user has a row; counters that are not stale are right; triggers, rights and row level security.
with counted as (
    select c.user_id, c.tasks_total, c.tasks_open, c.tasks_completed, c.projects_total, c.projects_in_progress,
           c.journal_entries_total
    from public.user_statistics_cache c
    where not c.stale
    except all
    select u.id, t.total, t.open, t.completed, p.total, p.in_progress, j.total
    from auth.users u
    left join lateral (
        select count(*) as total, count(*) filter (where x.status not in ('completed', 'cancelled')) as open,
               count(*) filter (where x.status = 'completed') as completed
        from public.tasks x where x.user_id = u.id) t on true
    left join lateral (
        select count(*) as total, count(*) filter (where x.status = 'in_progress') as in_progress
        from public.projects x where x.user_id = u.id) p on true
    left join lateral (
        select count(*) as total from public.journal_entries x where x.user_id = u.id and not x.archived) j on true
), checks (check_name, expected, actual) as (
    select 'users with tasks and without a row', '0', count(*)::text
    from auth.users u
    where exists (select from public.tasks t where t.user_id = u.id)
      and not exists (select from public.user_statistics_cache c where c.user_id = u.id)
    union all
    select 'users whose counters are wrong and not stale', '0', count(*)::text from counted
    union all
    select 'trigger ' || w.name, 'enabled, for each statement',
           case when t.tgenabled = 'O' and t.tgtype & 1 = 0 then 'enabled, for each statement' end
    from (select format('trigger_update_stats_on_%s_%s', entity, event), relation
          from (values ('task', 'tasks'), ('project', 'projects'), ('journal', 'journal_entries')) e (entity, relation),
               unnest(array['insert', 'change', 'delete', 'truncate']) event) w (name, relation)
    left join pg_catalog.pg_trigger t on t.tgrelid = to_regclass('public.' || w.relation) and t.tgname = w.name
    union all
    select 'row level security', 'on, SELECT to authenticated',
           concat_ws(', ', case when c.relrowsecurity then 'on' end, string_agg(p.cmd || ' to ' || array_to_string(p.roles, ', '), ', '))
    from pg_catalog.pg_class c
    left join pg_catalog.pg_policies p on p.schemaname = 'public' and p.tablename = c.relname
    where c.oid = to_regclass('public.user_statistics_cache')
    group by c.relrowsecurity
    union all
    select format('%s of %s', w.right_name, w.role), w.has::text,
           has_table_privilege(w.role, 'public.user_statistics_cache', w.right_name)::text
    from (values ('anon', 'select', false), ('authenticated', 'select', true), ('authenticated', 'insert', false),
                 ('authenticated', 'update', false), ('service_role', 'select', true)) w (role, right_name, has)
    union all
    select 'refresh_user_statistics_cache for ' || w.role, w.has::text,
           has_function_privilege(w.role, 'public.refresh_user_statistics_cache(int)', 'execute')::text
    from (values ('anon', false), ('authenticated', false), ('service_role', true)) w (role, has)
    union all
    select 'update_user_statistics_cache', 'security definer, fixed search_path',
           concat_ws(', ', case when p.prosecdef then 'security definer' end,
                     case when p.proconfig::text like '%search_path=%' then 'fixed search_path' end)
    from pg_catalog.pg_proc p where p.oid = to_regprocedure('public.update_user_statistics_cache()')
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
