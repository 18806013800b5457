-- 010 down: takes back what version 010 filled in, and only that.
--
-- Default scores become unknown again, given ones stay. Tasks with a project get the area and the pillar that they had
-- before, mostly none. Reflections that came from an entry and were not edited since go; edited ones are somebody's text
-- and stay.

select strata_aurum.retire_indexes(10);
drop index concurrently if exists public.idx_tasks_area_going;
drop index concurrently if exists public.idx_tasks_pillar_going;

drop trigger if exists follow_area on public.areas;
drop function if exists strata_aurum.follow_area();

-- strata: new transaction
drop trigger if exists follow_project on public.projects;
drop function if exists strata_aurum.follow_project();

-- strata: new transaction
drop trigger if exists complete_task on public.tasks;
drop function if exists strata_aurum.complete_task();
drop trigger if exists await_project on public.tasks;
drop function if exists strata_aurum.await_project();
drop function if exists strata_aurum.fill_tasks(uuid, uuid);
-- A way up that failed at once left no table; every area and pillar is what it was then.
create table if not exists strata_aurum.task_before as
select t.id, t.area_id, t.pillar_id from public.tasks t where t.area_id is not null or t.pillar_id is not null;

-- As on the way up: the graph is built again afterwards, instead of entry by entry.
drop index concurrently if exists public.idx_task_description_embedding;

call strata.backfill('aurum 010 tasks back', 'public.tasks', 'id', $$
    with quiet as (
        select set_config('strata_aurum.backfill', 'on', true) as it
    ), wanted as (
        select t.id, case when t.project_id is null then t.area_id else b.area_id end as area_id,
               case when t.project_id is null then t.pillar_id else b.pillar_id end as pillar_id
        from public.tasks t
        left join strata_aurum.task_before b on b.id = t.id
        where t.id between $1::uuid and $2::uuid
    )
    update public.tasks t
    set area_id = w.area_id, pillar_id = w.pillar_id,
        hrm_priority_score = case when not t.hrm_priority_is_default then t.hrm_priority_score end,
        hrm_priority_is_default = false,
        hrm_alignment_score = case when not t.hrm_alignment_is_default then t.hrm_alignment_score end,
        hrm_alignment_is_default = false
    from wanted w, quiet
    where t.id = w.id and ((t.area_id, t.pillar_id) is distinct from (w.area_id, w.pillar_id)
                           or t.hrm_priority_is_default or t.hrm_alignment_is_default)
$$);

set maintenance_work_mem = ${index_build_memory};
set statement_timeout = 0;
create index concurrently if not exists idx_task_description_embedding
    on public.tasks using hnsw (description_embedding vector_cosine_ops) with (m = 16, ef_construction = 64);
reset maintenance_work_mem;
reset statement_timeout;

call strata.backfill('aurum 010 reflections back', 'public.daily_reflections', 'id', $$
    delete from public.daily_reflections d
    where d.id between $1::uuid and $2::uuid and d.journal_entry_id is not null and d.updated_at = d.created_at
$$);

drop table if exists strata_aurum.task_before;
delete from strata_aurum.made where version = 10;
select public.refresh_hierarchy_view();
