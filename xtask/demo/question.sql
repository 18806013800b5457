-- The questions of the demonstration are rows of a source of their own, so `strata embed` turns them into vectors as it
-- does every other text, and plain SQL can search with them. Their tenant is nobody, so they are no answers.
create schema demo;

create table demo.question (
    id         uuid        primary key default gen_random_uuid(),
    tenant     uuid        not null default '00000000-0000-4000-8000-000000000000',
    asked      text        not null unique,
    embedding  vector(384),
    created_at timestamptz not null default now()
);

select strata.add_source('question', 'demo.question', 'id', 'tenant', null, array['asked'], 'embedding', 'all-MiniLM-L6-v2');
