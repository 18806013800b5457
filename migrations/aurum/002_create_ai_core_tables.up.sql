-- 002 create the tables that the assistant writes: insights, its conversation memory, and daily reflections.
--
-- Why: later versions fill, embed and search them. Complete definitions stand here, where the document has placeholders.
-- Done otherwise than in the document: the policies name the role authenticated, check writes as well as reads, and ask
-- for the caller once a statement instead of once a row; what a platform grants by default on new tables is taken back.
-- daily_reflections belongs here, because version 010 fills it and nothing else would create it: one reflection for a
-- user and a day is a constraint, so that a conflict can be answered.
-- Plain indexes: the tables are new and empty. No vector index yet: embeddings come first (version 007).

do $$
declare
    missing  text;
    occupied text;
begin
    select string_agg(w.name, ', ' order by w.name) into missing
    from (values ('auth.users.id'), ('public.pillars.user_id'), ('public.areas.pillar_id'), ('public.projects.area_id'),
                 ('public.projects.status'), ('public.projects.updated_at'), ('public.tasks.project_id'),
                 ('public.tasks.description'), ('public.tasks.status'), ('public.tasks.updated_at'),
                 ('public.journal_entries.content'), ('public.journal_entries.template_type'),
                 ('public.journal_entries.deleted'), ('public.journal_entries.deleted_at'),
                 ('public.journal_entries.updated_at')) w (name)
    where not exists (
        select from information_schema.columns c
        where format('%s.%s.%s', c.table_schema, c.table_name, c.column_name) = w.name);
    if missing is not null then
        raise exception 'this is not the Aurum application: it has no %', missing using errcode = '42P01',
            hint = 'give the database of the application; on a plain Postgres load app/supabase.sql and app/baseline.sql first';
    end if;
    select string_agg(w.name, ', ' order by w.name) into missing
    from (values ('anon'), ('authenticated'), ('service_role')) w (name)
    where not exists (select from pg_catalog.pg_roles r where r.rolname = w.name);
    if missing is not null or to_regprocedure('auth.uid()') is null then
        raise exception 'what Supabase provides is missing: %', coalesce('roles ' || missing, 'function auth.uid()')
            using errcode = '42704', hint = 'on a plain Postgres load app/supabase.sql first';
    end if;
    select string_agg(w.name, ', ' order by w.name) into occupied
    from (values ('public.insights'), ('public.ai_conversation_memory'), ('public.daily_reflections')) w (name)
    where to_regclass(w.name) is not null
      and not exists (select from strata_aurum.made m where m.version = 2 and m.kind = 'table' and m.name = w.name);
    if occupied is not null then
        raise exception 'relation % is there already', occupied using errcode = '42P07',
            hint = 'rename or drop it, and what reads it, then run this version again';
    end if;
end
$$;

create table if not exists public.insights (
    id                   uuid        primary key default gen_random_uuid(),
    user_id              uuid        not null references auth.users (id) on delete cascade,
    entity_type          text        not null check (entity_type in
                                     ('pillar', 'area', 'project', 'task', 'journal_entry', 'user')),
    entity_id            uuid,
    insight_type         text        not null default 'observation' check (insight_type in
                                     ('observation', 'pattern', 'suggestion', 'warning', 'celebration')),
    title                text        not null,
    content              text        not null,
    confidence           real        check (confidence between 0 and 1),
    metadata             jsonb       not null default '{}',
    embedding            vector(${embedding_dimensions}),
    embedding_model      text,
    embedding_updated_at timestamptz,
    expires_at           timestamptz,
    dismissed_at         timestamptz,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now(),
    constraint chk_insight_entity check ((entity_type = 'user') = (entity_id is null)),
    constraint chk_insight_embedding_model check ((embedding is null) = (embedding_model is null))
);
comment on table public.insights is 'what the assistant noticed about a user or one of the user''s things';
create index if not exists idx_insights_user_entity on public.insights (user_id, entity_type, entity_id);
create index if not exists idx_insights_user_created on public.insights (user_id, created_at desc) where dismissed_at is null;

create table if not exists public.ai_conversation_memory (
    id              uuid        primary key default gen_random_uuid(),
    user_id         uuid        not null references auth.users (id) on delete cascade,
    conversation_id uuid        not null,
    role            text        not null check (role in ('system', 'user', 'assistant', 'tool')),
    content         text        not null,
    token_count     integer     check (token_count >= 0),
    metadata        jsonb       not null default '{}',
    created_at      timestamptz not null default now()
);
comment on table public.ai_conversation_memory is 'what a user and the assistant said, in order, by conversation';
create index if not exists idx_ai_conversation_memory_conversation
    on public.ai_conversation_memory (user_id, conversation_id, created_at);

create table if not exists public.daily_reflections (
    id               uuid        primary key default gen_random_uuid(),
    user_id          uuid        not null references auth.users (id) on delete cascade,
    reflection_date  date        not null,
    reflection_text  text        not null,
    mood             text,
    journal_entry_id uuid        references public.journal_entries (id) on delete set null,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    constraint daily_reflections_user_day unique (user_id, reflection_date)
);
comment on column public.daily_reflections.reflection_date is 'the day in UTC';
comment on column public.daily_reflections.journal_entry_id is 'the entry that version 010 took it from; null: written here';
create index if not exists idx_daily_reflections_journal_entry on public.daily_reflections (journal_entry_id)
    where journal_entry_id is not null;

insert into strata_aurum.made (version, kind, name)
values (2, 'table', 'public.insights'), (2, 'table', 'public.ai_conversation_memory'), (2, 'table', 'public.daily_reflections')
on conflict do nothing;

-- Moves updated_at when a person or the assistant edits, not when an embedding is stored.
create or replace function strata_aurum.touch_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.updated_at := now();
    return new;
end
$$;
create or replace trigger touch_updated_at
    before update of entity_type, entity_id, insight_type, title, content, confidence, metadata, expires_at, dismissed_at
    on public.insights for each row execute function strata_aurum.touch_updated_at();
create or replace trigger touch_updated_at before update of reflection_text, mood on public.daily_reflections
    for each row when (current_setting('strata_aurum.backfill', true) is distinct from 'on')
    execute function strata_aurum.touch_updated_at();

alter table public.insights enable row level security;
alter table public.ai_conversation_memory enable row level security;
alter table public.daily_reflections enable row level security;

drop policy if exists "Users can manage their own insights" on public.insights;
create policy "Users can manage their own insights" on public.insights
    for all to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
drop policy if exists "Users can manage their own conversation memory" on public.ai_conversation_memory;
create policy "Users can manage their own conversation memory" on public.ai_conversation_memory
    for all to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
drop policy if exists "Users can manage their own daily reflections" on public.daily_reflections;
create policy "Users can manage their own daily reflections" on public.daily_reflections
    for all to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);

revoke all on public.insights, public.ai_conversation_memory, public.daily_reflections from anon, authenticated, service_role;
grant select, insert, update, delete on public.insights, public.ai_conversation_memory, public.daily_reflections
    to authenticated, service_role;

-- What an earlier down saved comes back, of the users who are still there.
insert into public.insights
select r.* from strata_aurum.kept k cross join lateral jsonb_populate_record(null::public.insights, k.kept) r
where k.version = 2 and k.relation = 'public.insights' and exists (select from auth.users u where u.id = r.user_id);
insert into public.ai_conversation_memory
select r.* from strata_aurum.kept k cross join lateral jsonb_populate_record(null::public.ai_conversation_memory, k.kept) r
where k.version = 2 and k.relation = 'public.ai_conversation_memory'
  and exists (select from auth.users u where u.id = r.user_id);
insert into public.daily_reflections
select r.* from strata_aurum.kept k
cross join lateral jsonb_populate_record(null::public.daily_reflections, case
    when exists (select from public.journal_entries j where j.id = (k.kept ->> 'journal_entry_id')::uuid) then k.kept
    else k.kept - 'journal_entry_id' end) r
where k.version = 2 and k.relation = 'public.daily_reflections' and exists (select from auth.users u where u.id = r.user_id);
delete from strata_aurum.kept where version = 2;
