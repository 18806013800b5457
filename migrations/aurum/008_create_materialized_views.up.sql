-- 008 create hierarchy_view: for every task its project, area and pillar, in one row.
--
-- Why: the application shows the whole line of a task everywhere, and joins four tables each time.
-- Done otherwise than in the document: it is a table with row level security, because a materialized view cannot have
-- any and would show everybody's tasks to everybody; it is kept incrementally, because rebuilding all of it for one new
-- task does not scale: triggers mark what has changed, a statement at a time, and refresh_hierarchy_view() applies the
-- marks without stopping readers. Tasks without a project and projects without an area are in it: the document's inner
-- joins would lose them. Its columns and its index names are the document's; the key makes a refresh possible at all.

do $$
declare
    there "char" := (select c.relkind from pg_catalog.pg_class c where c.oid = to_regclass('public.hierarchy_view'));
begin
    if there is not null and not exists (select from strata_aurum.made m where m.version = 8 and m.kind = 'table') then
        raise exception 'public.hierarchy_view is there already' using errcode = '42P07',
            detail = format('It is a %s.', case there when 'm' then 'materialized view' when 'v' then 'view' else 'relation' end),
            hint = 'rename or drop it, and what reads it, then run this version again';
    end if;
end
$$;
create table if not exists public.hierarchy_view (
    task_id             uuid primary key,
    task_name           text not null,
    user_id             uuid not null,
    project_id          uuid,
    project_name        text,
    area_id             uuid,
    area_name           text,
    pillar_id           uuid,
    pillar_name         text,
    task_status         text,
    task_priority       text,
    due_date            date,
    hrm_priority_score  double precision,
    hrm_alignment_score double precision
);
comment on table public.hierarchy_view is 'each task with its project, area and pillar; read only, see refresh_hierarchy_view()';
insert into strata_aurum.made (version, kind, name) values (8, 'table', 'public.hierarchy_view')
on conflict do nothing;
create index if not exists idx_hierarchy_view_user on public.hierarchy_view (user_id);
create index if not exists idx_hierarchy_view_pillar on public.hierarchy_view (user_id, pillar_id);

alter table public.hierarchy_view enable row level security;
drop policy if exists "Users can see their own hierarchy" on public.hierarchy_view;
create policy "Users can see their own hierarchy" on public.hierarchy_view
    for select to authenticated using ((select auth.uid()) = user_id);
revoke all on public.hierarchy_view from anon, authenticated, service_role;
grant select on public.hierarchy_view to authenticated, service_role;

-- One table a transaction: putting triggers on it waits for its writers, and nobody should wait for four tables at once.
-- strata: new transaction
create or replace trigger hierarchy_insert after insert on public.pillars
    referencing new table as new_rows for each statement execute function strata.mark_hierarchy_change('pillar');
create or replace trigger hierarchy_update after update on public.pillars
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata.mark_hierarchy_change('pillar');
create or replace trigger hierarchy_delete after delete on public.pillars
    referencing old table as old_rows for each statement execute function strata.mark_hierarchy_change('pillar');
create or replace trigger hierarchy_truncate after truncate on public.pillars
    for each statement execute function strata.mark_hierarchy_change('pillar');

-- strata: new transaction
create or replace trigger hierarchy_insert after insert on public.areas
    referencing new table as new_rows for each statement execute function strata.mark_hierarchy_change('area');
create or replace trigger hierarchy_update after update on public.areas
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata.mark_hierarchy_change('area');
create or replace trigger hierarchy_delete after delete on public.areas
    referencing old table as old_rows for each statement execute function strata.mark_hierarchy_change('area');
create or replace trigger hierarchy_truncate after truncate on public.areas
    for each statement execute function strata.mark_hierarchy_change('area');

-- strata: new transaction
create or replace trigger hierarchy_insert after insert on public.projects
    referencing new table as new_rows for each statement execute function strata.mark_hierarchy_change('project');
create or replace trigger hierarchy_update after update on public.projects
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata.mark_hierarchy_change('project');
create or replace trigger hierarchy_delete after delete on public.projects
    referencing old table as old_rows for each statement execute function strata.mark_hierarchy_change('project');
create or replace trigger hierarchy_truncate after truncate on public.projects
    for each statement execute function strata.mark_hierarchy_change('project');

-- strata: new transaction
create or replace trigger hierarchy_insert after insert on public.tasks
    referencing new table as new_rows for each statement execute function strata.mark_hierarchy_change('task');
create or replace trigger hierarchy_update after update on public.tasks
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata.mark_hierarchy_change('task');
create or replace trigger hierarchy_delete after delete on public.tasks
    referencing old table as old_rows for each statement execute function strata.mark_hierarchy_change('task');
create or replace trigger hierarchy_truncate after truncate on public.tasks
    for each statement execute function strata.mark_hierarchy_change('task');

-- Marks are set from here on, so a row that changes behind the walk is corrected by the refresh at the end.
call strata.backfill('aurum 008 hierarchy', 'public.tasks', 'id', $$
    insert into public.hierarchy_view as h
    select t.id, t.name, t.user_id, p.id, p.name, a.id, a.name, i.id, i.name,
           t.status, t.priority, t.due_date, t.hrm_priority_score, t.hrm_alignment_score
    from public.tasks t
    left join public.projects p on p.id = t.project_id
    left join public.areas a on a.id = p.area_id
    left join public.pillars i on i.id = a.pillar_id
    where t.id between $1::uuid and $2::uuid
    on conflict (task_id) do nothing
$$);

-- SECURITY DEFINER, so that the service role can refresh without any right on the marks or on the table. It takes no
-- argument that a caller could turn against it, and nobody else may call it.
create or replace function public.refresh_hierarchy_view() returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    select strata.refresh_hierarchy_view('public')
$$;
comment on function public.refresh_hierarchy_view() is
    'brings hierarchy_view up to date with what has changed since the last time; answers the rows written or removed';
revoke execute on function public.refresh_hierarchy_view() from public, anon, authenticated;
grant execute on function public.refresh_hierarchy_view() to service_role;
select public.refresh_hierarchy_view();
-- Statistics for the planner, which has never seen the table.
analyze public.hierarchy_view;
