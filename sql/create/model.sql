-- model: the embedding models that sources use. `dimensions` is what the model answers with, `max_tokens` what it reads
-- of one text before it cuts; null: not known.
create table strata.model (
    name        text        primary key check (name <> ''),
    provider    text        not null check (provider in ('local', 'openai', 'ollama', 'supabase')),
    dimensions  int         not null check (dimensions between 1 and 16000),
    max_tokens  int         check (max_tokens > 0),
    created_at  timestamptz not null default clock_timestamp()
);
