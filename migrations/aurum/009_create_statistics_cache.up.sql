-- 009 create user_statistics_cache: counters of each user, and whether they still hold.
--
-- Why: the start page counts a user's tasks, projects and entries; counting them anew for each visit is wasteful.
-- Done otherwise than in the document: `stale` is a column of its own, so that updated_at can tell the truth; a user
-- without a row gets one; a row that moves from one user to another makes both stale; the triggers fire once a statement
-- and write only where a counter really changes, so that a backfill of other columns costs nothing; the function runs
-- with its owner's rights and a fixed search_path, because the people whose writes fire it may not write to the cache;
-- and there is a function that counts, without which the cache would stay empty.

do $$
begin
    if to_regclass('public.user_statistics_cache') is not null
       and not exists (select from strata_aurum.made m where m.version = 9 and m.kind = 'table') then
        raise exception 'public.user_statistics_cache is there already' using errcode = '42P07',
            hint = 'rename or drop it, and what reads it, then run this version again';
    end if;
end
$$;
create table if not exists public.user_statistics_cache (
    user_id               uuid        primary key references auth.users (id) on delete cascade,
    tasks_total           bigint      not null default 0,
    tasks_open            bigint      not null default 0,
    tasks_completed       bigint      not null default 0,
    projects_total        bigint      not null default 0,
    projects_in_progress  bigint      not null default 0,
    journal_entries_total bigint      not null default 0,
    stale                 boolean     not null default true,
    updated_at            timestamptz
);
comment on column public.user_statistics_cache.stale is 'something has changed since updated_at';
comment on column public.user_statistics_cache.updated_at is 'when the counters were counted; null: never';
comment on column public.user_statistics_cache.journal_entries_total is 'entries that are not archived';
insert into strata_aurum.made (version, kind, name) values (9, 'table', 'public.user_statistics_cache')
on conflict do nothing;
create index if not exists idx_user_statistics_cache_stale on public.user_statistics_cache (updated_at nulls first)
    where stale;

alter table public.user_statistics_cache enable row level security;
drop policy if exists "Users can see their own statistics" on public.user_statistics_cache;
create policy "Users can see their own statistics" on public.user_statistics_cache
    for select to authenticated using ((select auth.uid()) = user_id);
revoke all on public.user_statistics_cache from anon, authenticated, service_role;
grant select on public.user_statistics_cache to authenticated, service_role;

-- update_user_statistics_cache: makes the counters of those users stale whose rows a statement has changed. Its argument
-- is the column that the counters look at, besides user_id.
-- A row that is stale already is locked for key share, not written: writers of one user do not wait for each other, nor
-- for one who marks, and yet a refresh, which locks for update, is waited for while it counts this user, so that no
-- change falls between counting and marking.
create or replace function public.update_user_statistics_cache() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    touched uuid[];
    known   uuid[];
begin
    if tg_op = 'TRUNCATE' then
        update public.user_statistics_cache c set stale = true where not c.stale;
        return null;
    elsif tg_op = 'INSERT' then
        touched := array(select distinct n.user_id from new_rows n);
    elsif tg_op = 'DELETE' then
        touched := array(select distinct o.user_id from old_rows o);
    else
        execute format(
            'select array_agg(distinct u.id)
             from old_rows o full join new_rows n on n.id = o.id cross join lateral (values (o.user_id), (n.user_id)) u (id)
             where (o.user_id, o.%1$I) is distinct from (n.user_id, n.%1$I)', tg_argv[0])
            into touched;
    end if;
    known := array(select s.user_id from (
        select c.user_id from public.user_statistics_cache c
        where c.user_id = any (touched) and c.stale order by c.user_id for key share) s);
    -- Through auth.users: when a user is deleted, this fires for rows of somebody who is no longer there.
    insert into public.user_statistics_cache (user_id, stale)
    select u.id, true from auth.users u where u.id = any (touched) and u.id <> all (known) order by u.id
    on conflict (user_id) do update set stale = true;
    return null;
end
$$;
revoke execute on function public.update_user_statistics_cache() from public, anon, authenticated;

-- refresh_user_statistics_cache: counts again for at most max_users users whose counters are stale, and answers for how
-- many. Users whose rows somebody is writing at the moment are left for the next time. Call it until it answers 0.
-- Raises 22023 (max_users), 25001 (the transaction sees an old snapshot).
create or replace function public.refresh_user_statistics_cache(max_users int default 1000) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    picked uuid[];
begin
    if max_users is null or max_users < 1 then
        raise exception 'max_users must be at least 1, not %', coalesce(max_users::text, 'null') using errcode = '22023';
    elsif current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'counting needs read committed, not %', current_setting('transaction_isolation')
            using errcode = '25001', hint = 'what was committed since the snapshot would be missed for ever';
    end if;
    -- Locked first, counted in a statement of its own: whoever marks a user later waits for the lock.
    picked := array(select p.user_id from (
        select c.user_id from public.user_statistics_cache c
        where c.stale order by c.updated_at nulls first, c.user_id limit max_users for update skip locked) p);
    update public.user_statistics_cache c
    set tasks_total = t.total, tasks_open = t.open, tasks_completed = t.completed,
        projects_total = p.total, projects_in_progress = p.in_progress,
        journal_entries_total = j.total, stale = false, updated_at = clock_timestamp()
    from unnest(picked) u (id)
    cross join lateral (
        select count(*) as total, count(*) filter (where x.status = 'completed') as completed,
               count(*) filter (where x.status not in ('completed', 'cancelled')) as open
        from public.tasks x where x.user_id = u.id) t
    cross join lateral (
        select count(*) as total, count(*) filter (where x.status = 'in_progress') as in_progress
        from public.projects x where x.user_id = u.id) p
    cross join lateral (
        select count(*) as total from public.journal_entries x where x.user_id = u.id and not x.archived) j
    where c.user_id = u.id;
    return cardinality(picked);
end
$$;
comment on function public.refresh_user_statistics_cache(int) is
    'counts again for users whose counters are stale; answers for how many';
revoke execute on function public.refresh_user_statistics_cache(int) from public, anon, authenticated;
grant execute on function public.refresh_user_statistics_cache(int) to service_role;

-- strata: new transaction
create or replace trigger trigger_update_stats_on_task_insert after insert on public.tasks
    referencing new table as new_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_task_change after update on public.tasks
    referencing old table as old_rows new table as new_rows
    for each statement execute function public.update_user_statistics_cache('status');
create or replace trigger trigger_update_stats_on_task_delete after delete on public.tasks
    referencing old table as old_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_task_truncate after truncate on public.tasks
    for each statement execute function public.update_user_statistics_cache();

-- strata: new transaction
create or replace trigger trigger_update_stats_on_project_insert after insert on public.projects
    referencing new table as new_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_project_change after update on public.projects
    referencing old table as old_rows new table as new_rows
    for each statement execute function public.update_user_statistics_cache('status');
create or replace trigger trigger_update_stats_on_project_delete after delete on public.projects
    referencing old table as old_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_project_truncate after truncate on public.projects
    for each statement execute function public.update_user_statistics_cache();

-- strata: new transaction
create or replace trigger trigger_update_stats_on_journal_insert after insert on public.journal_entries
    referencing new table as new_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_journal_change after update on public.journal_entries
    referencing old table as old_rows new table as new_rows
    for each statement execute function public.update_user_statistics_cache('archived');
create or replace trigger trigger_update_stats_on_journal_delete after delete on public.journal_entries
    referencing old table as old_rows for each statement execute function public.update_user_statistics_cache();
create or replace trigger trigger_update_stats_on_journal_truncate after truncate on public.journal_entries
    for each statement execute function public.update_user_statistics_cache();

-- Everybody gets a row, and then its numbers, a batch a transaction: small ones, since a user who is being counted and
-- writes at that moment waits.
call strata.backfill('aurum 009 users', 'auth.users', 'id', $$
    insert into public.user_statistics_cache (user_id)
    select u.id from auth.users u where u.id between $1::uuid and $2::uuid
    on conflict (user_id) do nothing
$$);
call strata.backfill('aurum 009 counts', 'auth.users', 'id', $$
    select public.refresh_user_statistics_cache(100)
$$, batch => 100, target => null);
