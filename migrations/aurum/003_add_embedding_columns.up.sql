-- 003 add the embedding columns, the scores and the short cuts to area and pillar, and register what is to be embedded.
--
-- Why: from here on every new or changed text of a journal entry, a task or an insight queues a job, and search has
-- somewhere to look.
-- Done otherwise than in the document: a column that is there already must be of exactly this type and dimension, instead
-- of being skipped in silence; no row claims a model without an embedding, because the column has no default and a check
-- holds the two together; the columns that later phases use are added here, where the document adds them nowhere.
-- hrm_priority_is_default and its sibling tell a score that nobody gave (version 010) from a real 0.5.
-- Adding columns without a default, or with a constant one, rewrites nothing. Checks and foreign keys are added without
-- looking at the rows, and validated in transactions of their own that let everybody read and write.

select strata_aurum.expect_columns(3, 'public.journal_entries', jsonb_build_object(
    'content_embedding', 'vector(${embedding_dimensions})', 'title_embedding', 'vector(${embedding_dimensions})',
    'embedding_model', 'text', 'embedding_updated_at', 'timestamp with time zone'));
do $$
declare
    labelled text;
begin
    select string_agg(a.attrelid::regclass::text, ', ') into labelled
    from pg_catalog.pg_attribute a
    where a.attrelid in ('public.journal_entries'::regclass, 'public.tasks'::regclass)
      and a.attname = 'embedding_model' and a.atthasdef and not a.attisdropped;
    if labelled is not null then
        raise exception 'embedding_model of % has a default', labelled using errcode = '42P16',
            detail = 'Every row would claim a model, with or without an embedding.',
            hint = 'alter table ... alter column embedding_model drop default; update ... set embedding_model = null '
                   'where no embedding is there; then run this version again';
    end if;
end
$$;
alter table public.journal_entries
    add column if not exists content_embedding vector(${embedding_dimensions}),
    add column if not exists title_embedding vector(${embedding_dimensions}),
    add column if not exists embedding_model text,
    add column if not exists embedding_updated_at timestamptz;
select strata_aurum.note_constraint(3, 'public.journal_entries', 'chk_journal_embedding_model');
alter table public.journal_entries
    drop constraint if exists chk_journal_embedding_model,
    add constraint chk_journal_embedding_model
        check ((content_embedding is null and title_embedding is null) = (embedding_model is null)) not valid;
-- The application moves updated_at on every update; storing an embedding is not an edit. Runs last, by its name.
drop trigger if exists zz_keep_updated_at on public.journal_entries;
create trigger zz_keep_updated_at
    before update of content_embedding, title_embedding, embedding_model, embedding_updated_at on public.journal_entries
    for each row when ((old.title, old.content) is not distinct from (new.title, new.content))
    execute function strata_aurum.keep_updated_at();
drop trigger if exists zz_keep_updated_at_in_backfill on public.journal_entries;
create trigger zz_keep_updated_at_in_backfill before update on public.journal_entries
    for each row when (current_setting('strata_aurum.backfill', true) = 'on')
    execute function strata_aurum.keep_updated_at();

-- strata: new transaction
select strata_aurum.expect_columns(3, 'public.tasks', jsonb_build_object(
    'description_embedding', 'vector(${embedding_dimensions})', 'name_embedding', 'vector(${embedding_dimensions})',
    'embedding_model', 'text', 'embedding_updated_at', 'timestamp with time zone',
    'area_id', 'uuid', 'pillar_id', 'uuid',
    'hrm_priority_score', 'double precision', 'hrm_alignment_score', 'double precision',
    'hrm_priority_is_default', 'boolean', 'hrm_alignment_is_default', 'boolean'));
alter table public.tasks
    add column if not exists description_embedding vector(${embedding_dimensions}),
    add column if not exists name_embedding vector(${embedding_dimensions}),
    add column if not exists embedding_model text,
    add column if not exists embedding_updated_at timestamptz,
    add column if not exists area_id uuid,
    add column if not exists pillar_id uuid,
    add column if not exists hrm_priority_score double precision,
    add column if not exists hrm_alignment_score double precision,
    add column if not exists hrm_priority_is_default boolean not null default false,
    add column if not exists hrm_alignment_is_default boolean not null default false;
comment on column public.tasks.hrm_priority_is_default is 'true: nobody gave hrm_priority_score, it is a default';
comment on column public.tasks.hrm_alignment_is_default is 'true: nobody gave hrm_alignment_score, it is a default';
select strata_aurum.note_constraint(3, 'public.tasks', c.name)
from (values ('chk_task_embedding_model'), ('chk_task_hrm_scores'), ('tasks_area_id_fkey'), ('tasks_pillar_id_fkey')) c (name);
alter table public.tasks
    drop constraint if exists chk_task_embedding_model,
    add constraint chk_task_embedding_model
        check ((description_embedding is null and name_embedding is null) = (embedding_model is null)) not valid,
    -- Not with between: a dump and a restore would write its definition otherwise.
    drop constraint if exists chk_task_hrm_scores,
    add constraint chk_task_hrm_scores check (hrm_priority_score >= 0 and hrm_priority_score <= 1
        and hrm_alignment_score >= 0 and hrm_alignment_score <= 1) not valid;
drop trigger if exists zz_keep_updated_at on public.tasks;
create trigger zz_keep_updated_at
    before update of description_embedding, name_embedding, embedding_model, embedding_updated_at on public.tasks
    for each row when ((old.name, old.description) is not distinct from (new.name, new.description))
    execute function strata_aurum.keep_updated_at();
drop trigger if exists zz_keep_updated_at_in_backfill on public.tasks;
create trigger zz_keep_updated_at_in_backfill before update on public.tasks
    for each row when (current_setting('strata_aurum.backfill', true) = 'on')
    execute function strata_aurum.keep_updated_at();

-- strata: new transaction
alter table public.tasks
    drop constraint if exists tasks_area_id_fkey,
    add constraint tasks_area_id_fkey foreign key (area_id) references public.areas (id) on delete set null not valid;

-- strata: new transaction
alter table public.tasks
    drop constraint if exists tasks_pillar_id_fkey,
    add constraint tasks_pillar_id_fkey foreign key (pillar_id) references public.pillars (id) on delete set null not valid;

-- strata: new transaction
select strata_aurum.bring_back(3, 'public.tasks');

-- strata: new transaction
alter table public.journal_entries validate constraint chk_journal_embedding_model;

-- strata: new transaction
alter table public.tasks validate constraint chk_task_embedding_model, validate constraint chk_task_hrm_scores;

-- strata: new transaction
alter table public.tasks validate constraint tasks_area_id_fkey;

-- strata: new transaction
alter table public.tasks validate constraint tasks_pillar_id_fkey;

-- strata: new transaction
do $$
declare
    known strata.model;
begin
    select * into known from strata.model m where m.name = ${embedding_model};
    if known.name is null then
        perform strata.add_model(${embedding_model}, ${embedding_provider}, ${embedding_dimensions});
        insert into strata_aurum.made (version, kind, name) values (3, 'model', ${embedding_model}) on conflict do nothing;
    elsif (known.provider, known.dimensions) <> (${embedding_provider}, ${embedding_dimensions}) then
        raise exception 'model "%" is known with provider % and % dimensions, not with % and %',
            known.name, known.provider, known.dimensions, ${embedding_provider}, ${embedding_dimensions}
            using errcode = '42710', hint = 'look into strata.model, and set the variables of the pack to it';
    end if;
end
$$;

-- One source a transaction: each puts triggers on its table, which waits for the table's writers.
-- strata: new transaction
select strata.add_source('journal_entry', 'public.journal_entries', 'id', 'user_id', 'title', array['content'],
    'content_embedding', ${embedding_model}, 'created_at', array['mood', 'template_type'],
    'embedding_model', 'embedding_updated_at', 'deleted')
where not exists (select from strata.source s where s.entity_type = 'journal_entry');

-- strata: new transaction
select strata.add_source('task', 'public.tasks', 'id', 'user_id', 'name', array['description'],
    'description_embedding', ${embedding_model}, 'created_at', array['status', 'priority', 'due_date', 'project_id'],
    'embedding_model', 'embedding_updated_at')
where not exists (select from strata.source s where s.entity_type = 'task');

-- strata: new transaction
select strata.add_source('insight', 'public.insights', 'id', 'user_id', 'title', array['content'],
    'embedding', ${embedding_model}, 'created_at', array['insight_type', 'entity_type', 'entity_id', 'confidence'],
    'embedding_model', 'embedding_updated_at')
where not exists (select from strata.source s where s.entity_type = 'insight');
