-- 006 let tasks and projects have only the statuses that the application knows.
--
-- Why: counting and filtering by status needs a closed list. Former releases wrote other words; they are translated first:
--   tasks     open -> todo          doing -> in_progress    done -> completed    canceled -> cancelled
--   projects  planning -> not_started   active -> in_progress   paused -> on_hold   done -> completed
-- Any other word stops the run before anything is changed, and is named. What a row said is kept in
-- strata_aurum.status_before, so that the way back says it again.
-- Done otherwise than in the document: rows are cleaned before they are forbidden, in batches that commit; constraints are
-- looked for on their own table, since another table may have one of the same name; the old definition of a constraint
-- that is replaced is noted; adding it does not scan, and validating it, in a transaction of its own, locks nobody out.

create table if not exists strata_aurum.status_before (
    id       uuid        primary key,
    relation text        not null check (relation in ('public.tasks', 'public.projects')),
    was      text        not null,
    became   text        not null,
    saved_at timestamptz not null default now()
);
comment on table strata_aurum.status_before is 'statuses of former releases that version 006 translated';

create table if not exists strata_aurum.status_word (
    relation text not null,
    was      text not null,
    became   text not null,
    primary key (relation, was)
);
comment on table strata_aurum.status_word is 'what the words of former releases mean today';
insert into strata_aurum.status_word (relation, was, became)
values ('public.tasks', 'open', 'todo'), ('public.tasks', 'doing', 'in_progress'),
       ('public.tasks', 'done', 'completed'), ('public.tasks', 'canceled', 'cancelled'),
       ('public.projects', 'planning', 'not_started'), ('public.projects', 'active', 'in_progress'),
       ('public.projects', 'paused', 'on_hold'), ('public.projects', 'done', 'completed')
on conflict do nothing;

do $$
declare
    unknown text;
begin
    select string_agg(format('%s has "%s" in %s rows', u.relation, u.status, u.rows), ', ' order by u.relation, u.status)
    into unknown
    from (
        select 'public.tasks' as relation, t.status, count(*) as rows from public.tasks t
        where t.status not in ('todo', 'in_progress', 'review', 'completed', 'cancelled')
        group by t.status
        union all
        select 'public.projects', p.status, count(*) from public.projects p
        where p.status not in ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')
        group by p.status
    ) u
    where not exists (select from strata_aurum.status_word w where w.relation = u.relation and w.was = u.status);
    if unknown is not null then
        raise exception 'statuses that nobody has translated: %', unknown using errcode = '23514',
            hint = 'change those rows, or add the words to the list at the head of this file and to status_word';
    end if;
end
$$;

-- translate_status: translates the rows with keys from first to last, saves what they said, and answers their keys.
create or replace function strata_aurum.translate_status(relation text, first uuid, last uuid) returns setof uuid
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('strata_aurum.backfill', 'on', true);
    return query execute format($q$
        with old as (
            select t.id, w.was, w.became from %1$s t
            join strata_aurum.status_word w on w.relation = $1 and w.was = t.status
            where t.id between $2 and $3
            for no key update of t
        ), saved as (
            insert into strata_aurum.status_before (id, relation, was, became)
            select o.id, $1, o.was, o.became from old o
            on conflict (id) do update set was = excluded.was, became = excluded.became
        )
        update %1$s t set status = o.became from old o where t.id = o.id
        returning t.id$q$, relation) using relation, first, last;
    perform set_config('strata_aurum.backfill', '', true);
end
$$;

drop trigger if exists zz_keep_updated_at_in_backfill on public.projects;
create trigger zz_keep_updated_at_in_backfill before update on public.projects
    for each row when (current_setting('strata_aurum.backfill', true) = 'on')
    execute function strata_aurum.keep_updated_at();

call strata.backfill('aurum 006 tasks', 'public.tasks', 'id', $$
    select strata_aurum.translate_status('public.tasks', $1::uuid, $2::uuid)
$$);
call strata.backfill('aurum 006 projects', 'public.projects', 'id', $$
    select strata_aurum.translate_status('public.projects', $1::uuid, $2::uuid)
$$);

select strata_aurum.note_constraint(6, 'public.tasks', 'chk_task_status');
alter table public.tasks
    drop constraint if exists chk_task_status,
    add constraint chk_task_status
        check (status in ('todo', 'in_progress', 'review', 'completed', 'cancelled')) not valid;

-- strata: new transaction
select strata_aurum.note_constraint(6, 'public.projects', 'chk_project_status');
alter table public.projects
    drop constraint if exists chk_project_status,
    add constraint chk_project_status
        check (status in ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')) not valid;

-- What the application has written since the first pass. From here on it cannot.
call strata.backfill('aurum 006 late tasks', 'public.tasks', 'id', $$
    select strata_aurum.translate_status('public.tasks', $1::uuid, $2::uuid)
$$);
call strata.backfill('aurum 006 late projects', 'public.projects', 'id', $$
    select strata_aurum.translate_status('public.projects', $1::uuid, $2::uuid)
$$);

alter table public.tasks validate constraint chk_task_status;

-- strata: new transaction
alter table public.projects validate constraint chk_project_status;
