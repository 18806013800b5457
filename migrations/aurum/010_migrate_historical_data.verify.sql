-- 010 verify: no task differs from its project, none is without scores, every day with a reflection has the latest one.
-- Entries that were written, edited, deleted or restored after the walk began are the application's business.
with walk (began) as (
    select coalesce((select c.started_at from strata.backfill_cursor c where c.job = 'aurum 010 reflections'), 'infinity')
), latest as (
    select distinct on (j.user_id, reflection_date)
           j.user_id, (j.created_at at time zone 'UTC')::date as reflection_date, j.id, j.created_at
    from public.journal_entries j, walk w
    where j.template_type = 'daily_reflection' and not j.archived and greatest(j.created_at, j.updated_at) < w.began
    order by j.user_id, reflection_date, j.created_at desc, j.id desc
), checks (check_name, expected, actual) as (
    select 'tasks whose area or pillar is not that of their project', '0', count(*)::text
    from public.tasks t
    join public.projects p on p.id = t.project_id
    left join public.areas a on a.id = p.area_id
    where (t.area_id, t.pillar_id) is distinct from (p.area_id, a.pillar_id)
    union all
    select 'tasks without a score', '0', count(*)::text
    from public.tasks t where t.hrm_priority_score is null or t.hrm_alignment_score is null
    union all
    select 'default scores that are not 0.5', '0', count(*)::text
    from public.tasks t
    where t.hrm_priority_is_default and t.hrm_priority_score <> 0.5
       or t.hrm_alignment_is_default and t.hrm_alignment_score <> 0.5
    union all
    select 'days of reflection', (select count(*)::text from latest), count(d.id)::text
    from latest l
    left join public.daily_reflections d on d.user_id = l.user_id and d.reflection_date = l.reflection_date
    union all
    select 'reflections that are older than the latest entry of their day', '0', count(*)::text
    from latest l
    join public.daily_reflections d on d.user_id = l.user_id and d.reflection_date = l.reflection_date
    where d.updated_at = d.created_at and (d.created_at, d.journal_entry_id) < (l.created_at, l.id)
    union all
    select 'trigger ' || w.name, 'enabled', case t.tgenabled when 'O' then 'enabled' end
    from (values ('tasks', 'await_project'), ('tasks', 'complete_task'), ('projects', 'follow_project'), ('areas', 'follow_area')) w (relation, name)
    left join pg_catalog.pg_trigger t on t.tgrelid = to_regclass('public.' || w.relation) and t.tgname = w.name
    union all
    select 'index ' || w.name, 'valid', case when x.indisvalid then 'valid' end
    from (values ('idx_tasks_area'), ('idx_tasks_pillar'), ('idx_task_description_embedding')) w (name)
    left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.' || w.name)
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
