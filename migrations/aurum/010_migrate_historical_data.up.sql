-- 010 fill what earlier versions added, for the rows that were there before.
--
-- Why: every task knows its area and pillar without a join, every task has scores, and daily reflections are a table.
-- Done otherwise than in the document: rows are walked by key in batches that commit, once for both fillings, instead of by
-- statements that lock the whole table and find rows without an area again and again; a score that was there is never
-- overwritten, and a default says that it is one; a trigger keeps area and pillar right from now on; of several
-- reflections on one day the latest wins, the day is the day in UTC whatever the session believes, archived entries stay
-- archived, and a second run inserts nothing. updated_at of the rows stays: nobody edited anything.

-- Rows that had an area or a pillar already; the way back gives it to them again.
create table if not exists strata_aurum.task_before (id uuid primary key, area_id uuid, pillar_id uuid);
comment on table strata_aurum.task_before is 'area and pillar that tasks had before version 010';
insert into strata_aurum.task_before (id, area_id, pillar_id)
select t.id, t.area_id, t.pillar_id from public.tasks t
where (t.area_id is not null or t.pillar_id is not null)
  and not exists (select from strata_aurum.made m where m.version = 10 and m.name = 'strata_aurum.task_before')
on conflict do nothing;
insert into strata_aurum.made (version, kind, name) values (10, 'table', 'strata_aurum.task_before') on conflict do nothing;

-- strata: new transaction
-- await_project: a task that comes to a project holds the project, and its area, where they are until it is committed: one
-- that is moving is waited for, and one that would move waits. Else the move does not see the task and the task not the
-- move, and it keeps the old area for ever. Locks only, and answers nothing: what the caller may see is for complete_task,
-- which comes after it by its name. With its owner's rights, since a lock needs the right to update.
create or replace function strata_aurum.await_project() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    area uuid;
begin
    if tg_op = 'INSERT' or new.project_id is distinct from old.project_id then
        select p.area_id into area from public.projects p where p.id = new.project_id for share;
        perform from public.areas a where a.id = area for share;
    end if;
    return new;
end
$$;
create or replace trigger await_project before insert or update of project_id on public.tasks
    for each row when (new.project_id is not null and current_setting('strata_aurum.backfill', true) is distinct from 'on')
    execute function strata_aurum.await_project();

-- strata: new transaction
-- A task with a project has the project's area and its pillar; a task without one has what it was given. A score that is
-- missing becomes 0.5 and says so; a score that is given says so too.
create or replace function strata_aurum.complete_task() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.project_id is not null then
        select p.area_id, a.pillar_id into new.area_id, new.pillar_id
        from public.projects p left join public.areas a on a.id = p.area_id
        where p.id = new.project_id;
    elsif tg_op = 'UPDATE' and old.project_id is not null
          and (new.area_id, new.pillar_id) is not distinct from (old.area_id, old.pillar_id) then
        new.area_id := null;
        new.pillar_id := null;
    end if;
    if new.hrm_priority_score is null then
        new.hrm_priority_score := 0.5;
        new.hrm_priority_is_default := true;
    elsif tg_op = 'UPDATE' and new.hrm_priority_score is distinct from old.hrm_priority_score then
        new.hrm_priority_is_default := new.hrm_priority_is_default and not old.hrm_priority_is_default;
    end if;
    if new.hrm_alignment_score is null then
        new.hrm_alignment_score := 0.5;
        new.hrm_alignment_is_default := true;
    elsif tg_op = 'UPDATE' and new.hrm_alignment_score is distinct from old.hrm_alignment_score then
        new.hrm_alignment_is_default := new.hrm_alignment_is_default and not old.hrm_alignment_is_default;
    end if;
    return new;
end
$$;
create or replace trigger complete_task
    before insert or update of project_id, area_id, pillar_id, hrm_priority_score, hrm_alignment_score on public.tasks
    for each row when (current_setting('strata_aurum.backfill', true) is distinct from 'on')
    execute function strata_aurum.complete_task();

-- strata: new transaction
-- Tasks follow their project into another area, and their area to another pillar.
create or replace function strata_aurum.follow_project() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    quiet text := current_setting('strata_aurum.backfill', true);
begin
    perform set_config('strata_aurum.backfill', 'on', true);
    update public.tasks t set area_id = n.area_id, pillar_id = a.pillar_id
    from new_rows n
    join old_rows o on o.id = n.id and o.area_id is distinct from n.area_id
    left join public.areas a on a.id = n.area_id
    where t.project_id = n.id and (t.area_id, t.pillar_id) is distinct from (n.area_id, a.pillar_id);
    perform set_config('strata_aurum.backfill', coalesce(quiet, ''), true);
    return null;
end
$$;
create or replace trigger follow_project after update on public.projects
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata_aurum.follow_project();

-- strata: new transaction
create or replace function strata_aurum.follow_area() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    quiet text := current_setting('strata_aurum.backfill', true);
begin
    perform set_config('strata_aurum.backfill', 'on', true);
    update public.tasks t set pillar_id = n.pillar_id
    from new_rows n
    join old_rows o on o.id = n.id and o.pillar_id is distinct from n.pillar_id
    join public.projects p on p.area_id = n.id
    where t.project_id = p.id and t.pillar_id is distinct from n.pillar_id;
    perform set_config('strata_aurum.backfill', coalesce(quiet, ''), true);
    return null;
end
$$;
create or replace trigger follow_area after update on public.areas
    referencing old table as old_rows new table as new_rows
    for each statement execute function strata_aurum.follow_area();

-- strata: new transaction
-- fill_tasks: both fillings, of the tasks with keys from first to last, in one update of a row. hierarchy_view follows in
-- the same transaction, a batch at a time; with all marks left to the end, one long transaction would have to follow them
-- all. Answers the keys.
create or replace function strata_aurum.fill_tasks(first uuid, last uuid) returns setof uuid
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('strata_aurum.backfill', 'on', true);
    -- Twice: the first pass locks what it writes, so the second sees every move of a project that the first was too early
    -- for, and a later move waits for the rows.
    for pass in 1..2 loop
        return query
        with wanted as (
            select t.id, case when p.id is null then t.area_id else p.area_id end as area_id,
                   case when p.id is null then t.pillar_id else a.pillar_id end as pillar_id
            from public.tasks t
            left join public.projects p on p.id = t.project_id
            left join public.areas a on a.id = p.area_id
            where t.id between first and last
        )
        update public.tasks t
        set area_id = w.area_id, pillar_id = w.pillar_id,
            hrm_priority_score = coalesce(t.hrm_priority_score, 0.5),
            hrm_priority_is_default = t.hrm_priority_is_default or t.hrm_priority_score is null,
            hrm_alignment_score = coalesce(t.hrm_alignment_score, 0.5),
            hrm_alignment_is_default = t.hrm_alignment_is_default or t.hrm_alignment_score is null
        from wanted w
        where t.id = w.id and ((t.area_id, t.pillar_id) is distinct from (w.area_id, w.pillar_id)
                               or t.hrm_priority_score is null or t.hrm_alignment_score is null)
        returning t.id;
    end loop;
    perform strata.refresh_hierarchy_view('public');
    perform set_config('strata_aurum.backfill', '', true);
end
$$;

-- Every row is written, and a written row is a new entry in the graph of the vector index, one at a time. Building the
-- graph again afterwards is several times quicker, and searches read rows exactly meanwhile.
drop index concurrently if exists public.idx_task_description_embedding;

call strata.backfill('aurum 010 tasks', 'public.tasks', 'id', $$
    select strata_aurum.fill_tasks($1::uuid, $2::uuid)
$$);

set maintenance_work_mem = ${index_build_memory};
set statement_timeout = 0;
create index concurrently if not exists idx_task_description_embedding
    on public.tasks using hnsw (description_embedding vector_cosine_ops) with (m = 16, ef_construction = 64);
reset maintenance_work_mem;
reset statement_timeout;

-- journal_entry_id and an updated_at that equals created_at say: from version 010, and not edited since.
call strata.backfill('aurum 010 reflections', 'public.journal_entries', 'id', $$
    with quiet as (
        select set_config('strata_aurum.backfill', 'on', true) as it
    ), latest as (
        select distinct on (j.user_id, reflection_date)
               j.user_id, (j.created_at at time zone 'UTC')::date as reflection_date, j.content, j.mood, j.id, j.created_at
        from public.journal_entries j
        where j.id between $1::uuid and $2::uuid and j.template_type = 'daily_reflection' and not j.archived
        order by j.user_id, reflection_date, j.created_at desc, j.id desc
    )
    insert into public.daily_reflections as d
        (id, user_id, reflection_date, reflection_text, mood, journal_entry_id, created_at, updated_at)
    select md5(concat(l.user_id, ' ', l.reflection_date))::uuid, l.user_id, l.reflection_date, l.content, l.mood, l.id,
           l.created_at, l.created_at
    from latest l, quiet
    on conflict on constraint daily_reflections_user_day do update
    set reflection_text = excluded.reflection_text, mood = excluded.mood, journal_entry_id = excluded.journal_entry_id,
        created_at = excluded.created_at, updated_at = excluded.updated_at
    where d.journal_entry_id is not null and d.updated_at = d.created_at
      and (excluded.created_at, excluded.journal_entry_id) > (d.created_at, d.journal_entry_id)
$$);

-- For the foreign keys of version 003, which look here when an area or a pillar is deleted. Built after the filling.
select strata_aurum.note_index(10, 'public.tasks', 'idx_tasks_area',
    'CREATE INDEX idx_tasks_area ON tasks USING btree (area_id)');
select strata_aurum.note_index(10, 'public.tasks', 'idx_tasks_pillar',
    'CREATE INDEX idx_tasks_pillar ON tasks USING btree (pillar_id)');
drop index concurrently if exists public.idx_tasks_area_going;
create index concurrently if not exists idx_tasks_area on public.tasks (area_id);
drop index concurrently if exists public.idx_tasks_pillar_going;
create index concurrently if not exists idx_tasks_pillar on public.tasks (pillar_id);

drop function strata_aurum.fill_tasks(uuid, uuid);
analyze public.tasks;
analyze public.daily_reflections;
