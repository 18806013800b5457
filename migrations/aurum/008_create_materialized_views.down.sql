-- 008 down: removes hierarchy_view, its refresh, its triggers and its marks. All of it is derived from other tables.

drop trigger if exists hierarchy_insert on public.tasks;
drop trigger if exists hierarchy_update on public.tasks;
drop trigger if exists hierarchy_delete on public.tasks;
drop trigger if exists hierarchy_truncate on public.tasks;

-- strata: new transaction
drop trigger if exists hierarchy_insert on public.projects;
drop trigger if exists hierarchy_update on public.projects;
drop trigger if exists hierarchy_delete on public.projects;
drop trigger if exists hierarchy_truncate on public.projects;

-- strata: new transaction
drop trigger if exists hierarchy_insert on public.areas;
drop trigger if exists hierarchy_update on public.areas;
drop trigger if exists hierarchy_delete on public.areas;
drop trigger if exists hierarchy_truncate on public.areas;

-- strata: new transaction
drop trigger if exists hierarchy_insert on public.pillars;
drop trigger if exists hierarchy_update on public.pillars;
drop trigger if exists hierarchy_delete on public.pillars;
drop trigger if exists hierarchy_truncate on public.pillars;

-- strata: new transaction
do $$
begin
    if exists (select from strata_aurum.made m where m.version = 8 and m.kind = 'table') then
        drop function if exists public.refresh_hierarchy_view();
        drop table if exists public.hierarchy_view;
        delete from strata.hierarchy_change c where c.relation_schema = 'public';
        delete from strata_aurum.made m where m.version = 8;
    end if;
end
$$;
