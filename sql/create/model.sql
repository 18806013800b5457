-- model: the embedding models that sources use. `dimensions` is what the model answers with, `max_tokens` what it reads
-- of one text before it cuts; null: not known. The limits hold for all workers together; null: none.
create table strata.model (
    name                text        primary key check (name <> ''),
    provider            text        not null check (provider in ('local', 'openai', 'ollama', 'supabase')),
    dimensions          int         not null check (dimensions between 1 and 16000),
    max_tokens          int         check (max_tokens > 0),
    requests_per_minute int         check (requests_per_minute > 0),
    tokens_per_minute   bigint      check (tokens_per_minute > 0),
    created_at          timestamptz not null default clock_timestamp()
);
