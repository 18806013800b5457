-- eval_set: a table for the documents of a labelled set, registered as a source. `{dimensions}` is a number. In a
-- transaction that is taken back, so that nothing of it is ever seen.
select pg_catalog.set_config('search_path', pg_catalog.format('pg_catalog, %I', strata.vector_schema()), true);
create schema strata_eval;
create table strata_eval.document (
    id uuid primary key, tenant uuid not null, title text, content text not null, embedding vector({dimensions}),
    words tsvector, created_at timestamptz not null default pg_catalog.now()
);
create index document_tenant on strata_eval.document (tenant);
