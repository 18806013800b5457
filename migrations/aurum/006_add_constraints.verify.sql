-- 006 verify: each constraint on its own table, with its definition, validated; no row was lost in translation.
with wanted (relation, name, definition) as (
    values ('tasks', 'chk_task_status',
            'CHECK ((status = ANY (ARRAY[''todo''::text, ''in_progress''::text, ''review''::text, ''completed''::text, '
            '''cancelled''::text])))'),
           ('projects', 'chk_project_status',
            'CHECK ((status = ANY (ARRAY[''not_started''::text, ''in_progress''::text, ''completed''::text, '
            '''on_hold''::text, ''cancelled''::text])))')
), checks (check_name, expected, actual) as (
    select format('constraint %s on %s', w.name, w.relation), w.definition,
           pg_get_constraintdef(c.oid)
    from wanted w
    left join pg_catalog.pg_constraint c on c.conrelid = to_regclass('public.' || w.relation) and c.conname = w.name
    union all
    select format('constraint %s on %s is validated', w.name, w.relation), 'true', c.convalidated::text
    from wanted w
    left join pg_catalog.pg_constraint c on c.conrelid = to_regclass('public.' || w.relation) and c.conname = w.name
    union all
    select 'old statuses that were saved and still stand', '0', count(*)::text
    from strata_aurum.status_before b
    left join public.tasks t on b.relation = 'public.tasks' and t.id = b.id
    left join public.projects p on b.relation = 'public.projects' and p.id = b.id
    where b.was in (t.status, p.status) and b.was <> b.became
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
