-- 008 verify: the fourteen columns, the same rows as the query behind them, indexes, triggers, and who may read it.
-- Rows that are marked for the next refresh are not compared: the application goes on while this looks.
with wanted (task_id, task_name, user_id, project_id, project_name, area_id, area_name, pillar_id, pillar_name,
             task_status, task_priority, due_date, hrm_priority_score, hrm_alignment_score) as (
    select t.id, t.name, t.user_id, p.id, p.name, a.id, a.name, i.id, i.name,
           t.status, t.priority, t.due_date, t.hrm_priority_score, t.hrm_alignment_score
    from public.tasks t
    left join public.projects p on p.id = t.project_id
    left join public.areas a on a.id = p.area_id
    left join public.pillars i on i.id = a.pillar_id
), differing as (
    (select * from wanted except all select * from public.hierarchy_view)
    union all
    (select * from public.hierarchy_view except all select * from wanted)
), checks (check_name, expected, actual) as (
    select 'columns', 'task_id uuid, task_name text, user_id uuid, project_id uuid, project_name text, area_id uuid, '
           'area_name text, pillar_id uuid, pillar_name text, task_status text, task_priority text, due_date date, '
           'hrm_priority_score double precision, hrm_alignment_score double precision',
           string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.hierarchy_view') and a.attnum > 0 and not a.attisdropped
    union all
    select 'rows that differ from the query', '0', count(*)::text
    from differing d
    where not exists (
        select from strata.hierarchy_change c
        where c.relation_schema = 'public' and (c.id is null or c.id in (d.task_id, d.project_id, d.area_id, d.pillar_id)))
    union all
    select 'index ' || w.name, w.columns,
           case when x.indisvalid then substring(pg_get_indexdef(x.indexrelid) from '\(.*\)') end
    from (values ('hierarchy_view_pkey', '(task_id)'), ('idx_hierarchy_view_user', '(user_id)'),
                 ('idx_hierarchy_view_pillar', '(user_id, pillar_id)')) w (name, columns)
    left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.' || w.name)
    union all
    select 'triggers on ' || w.name, '4', count(t.oid)::text
    from (values ('tasks'), ('projects'), ('areas'), ('pillars')) w (name)
    left join pg_catalog.pg_trigger t
        on t.tgrelid = to_regclass('public.' || w.name) and t.tgname like 'hierarchy\_%' and t.tgenabled = 'O'
    group by w.name
    union all
    select 'row level security', 'on, SELECT to authenticated',
           concat_ws(', ', case when c.relrowsecurity then 'on' end, string_agg(p.cmd || ' to ' || array_to_string(p.roles, ', '), ', '))
    from pg_catalog.pg_class c
    left join pg_catalog.pg_policies p on p.schemaname = 'public' and p.tablename = c.relname
    where c.oid = to_regclass('public.hierarchy_view')
    group by c.relrowsecurity
    union all
    select format('%s of %s', w.right_name, w.role), w.has::text, has_table_privilege(w.role, 'public.hierarchy_view', w.right_name)::text
    from (values ('anon', 'select', false), ('authenticated', 'select', true), ('authenticated', 'update', false),
                 ('authenticated', 'delete', false), ('service_role', 'select', true)) w (role, right_name, has)
    union all
    select 'refresh_hierarchy_view() for ' || w.role, w.has::text,
           has_function_privilege(w.role, 'public.refresh_hierarchy_view()', 'execute')::text
    from (values ('anon', false), ('authenticated', false), ('service_role', true)) w (role, has)
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
