-- 007 verify: each index on its table, HNSW over cosine distance with its parameters, without a predicate, and whole.
with wanted (name, definition) as (
    values ('idx_journal_content_embedding',
            'ON journal_entries USING hnsw (content_embedding vector_cosine_ops) WITH (m=''16'', ef_construction=''64'')'),
           ('idx_task_description_embedding',
            'ON tasks USING hnsw (description_embedding vector_cosine_ops) WITH (m=''16'', ef_construction=''64'')'),
           ('idx_insight_embedding',
            'ON insights USING hnsw (embedding vector_cosine_ops) WITH (m=''16'', ef_construction=''64'')')
), checks (check_name, expected, actual) as (
    select 'index ' || w.name, w.definition,
           substring(strata_aurum.index_definition(x.indexrelid) from ' (ON .*)$')
    from wanted w left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.' || w.name)
    union all
    select format('index %s is valid and ready', w.name), 'true', (x.indisvalid and x.indisready)::text
    from wanted w left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.' || w.name)
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
