-- The Aurum application as it is before any migration: pillars hold areas, areas hold projects, projects hold tasks,
-- and people keep a journal beside them. Needs schema auth and the API roles (Supabase, or supabase.sql).
--
-- It is a live application with a past, and the migrations must cope with all of it:
-- * journal entries are deleted softly by `deleted` and `deleted_at`; old rows have NULL in the one or the other;
-- * an old check on projects.status still allows words that the application stopped writing long ago,
--   and tasks.status was never checked at all;
-- * every update moves `updated_at`, which people see as "last edited";
-- * the policies call auth.uid() for each row and name no role, as the first guides taught it.

create function public.set_updated_at() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create table public.pillars (
    id          uuid        primary key default gen_random_uuid(),
    user_id     uuid        not null references auth.users (id) on delete cascade,
    name        text        not null,
    description text,
    color       text,
    sort_order  integer     not null default 0,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

create table public.areas (
    id          uuid        primary key default gen_random_uuid(),
    user_id     uuid        not null references auth.users (id) on delete cascade,
    pillar_id   uuid        references public.pillars (id) on delete set null,
    name        text        not null,
    description text,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

create table public.projects (
    id          uuid        primary key default gen_random_uuid(),
    user_id     uuid        not null references auth.users (id) on delete cascade,
    area_id     uuid        references public.areas (id) on delete set null,
    name        text        not null,
    description text,
    status      text        not null default 'not_started',
    priority    text        not null default 'medium',
    due_date    date,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    constraint chk_project_status check (status in ('planning', 'active', 'paused', 'done',
        'not_started', 'in_progress', 'completed', 'on_hold', 'cancelled'))
);

create table public.tasks (
    id           uuid        primary key default gen_random_uuid(),
    user_id      uuid        not null references auth.users (id) on delete cascade,
    project_id   uuid        references public.projects (id) on delete set null,
    name         text        not null,
    description  text,
    status       text        not null default 'todo',
    priority     text        not null default 'medium',
    due_date     date,
    completed_at timestamptz,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);

create table public.journal_entries (
    id            uuid        primary key default gen_random_uuid(),
    user_id       uuid        not null references auth.users (id) on delete cascade,
    title         text,
    content       text        not null,
    mood          text,
    template_type text,
    deleted       boolean     default false,
    deleted_at    timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

create index pillars_user_id on public.pillars (user_id, sort_order);
create index areas_user_id on public.areas (user_id);
create index areas_pillar_id on public.areas (pillar_id);
create index projects_user_id on public.projects (user_id, status);
create index projects_area_id on public.projects (area_id);
create index tasks_user_id on public.tasks (user_id, status);
create index tasks_project_id on public.tasks (project_id);
create index tasks_due_date on public.tasks (user_id, due_date) where due_date is not null;
create index journal_entries_user_id on public.journal_entries (user_id, created_at desc);

create trigger set_updated_at before update on public.pillars
    for each row execute function public.set_updated_at();
create trigger set_updated_at before update on public.areas
    for each row execute function public.set_updated_at();
create trigger set_updated_at before update on public.projects
    for each row execute function public.set_updated_at();
create trigger set_updated_at before update on public.tasks
    for each row execute function public.set_updated_at();
create trigger set_updated_at before update on public.journal_entries
    for each row execute function public.set_updated_at();

alter table public.pillars enable row level security;
alter table public.areas enable row level security;
alter table public.projects enable row level security;
alter table public.tasks enable row level security;
alter table public.journal_entries enable row level security;

create policy "Users can manage their own pillars" on public.pillars for all using (auth.uid() = user_id);
create policy "Users can manage their own areas" on public.areas for all using (auth.uid() = user_id);
create policy "Users can manage their own projects" on public.projects for all using (auth.uid() = user_id);
create policy "Users can manage their own tasks" on public.tasks for all using (auth.uid() = user_id);
create policy "Users can manage their own journal" on public.journal_entries for all using (auth.uid() = user_id);

grant usage on schema public to anon, authenticated, service_role;
grant select, insert, update, delete
    on public.pillars, public.areas, public.projects, public.tasks, public.journal_entries
    to authenticated, service_role;
