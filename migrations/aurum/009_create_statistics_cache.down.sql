-- 009 down: removes the statistics cache, its functions and its triggers. All of it is counted from other tables.

drop trigger if exists trigger_update_stats_on_journal_insert on public.journal_entries;
drop trigger if exists trigger_update_stats_on_journal_change on public.journal_entries;
drop trigger if exists trigger_update_stats_on_journal_delete on public.journal_entries;
drop trigger if exists trigger_update_stats_on_journal_truncate on public.journal_entries;

-- strata: new transaction
drop trigger if exists trigger_update_stats_on_project_insert on public.projects;
drop trigger if exists trigger_update_stats_on_project_change on public.projects;
drop trigger if exists trigger_update_stats_on_project_delete on public.projects;
drop trigger if exists trigger_update_stats_on_project_truncate on public.projects;

-- strata: new transaction
drop trigger if exists trigger_update_stats_on_task_insert on public.tasks;
drop trigger if exists trigger_update_stats_on_task_change on public.tasks;
drop trigger if exists trigger_update_stats_on_task_delete on public.tasks;
drop trigger if exists trigger_update_stats_on_task_truncate on public.tasks;

-- strata: new transaction
do $$
begin
    if exists (select from strata_aurum.made m where m.version = 9 and m.kind = 'table') then
        drop function if exists public.refresh_user_statistics_cache(int), public.update_user_statistics_cache();
        drop table if exists public.user_statistics_cache;
        delete from strata_aurum.made m where m.version = 9;
    end if;
end
$$;
