-- 007 build the vector indexes, after the embeddings: the gate of this phase has seen that none is missing.
--
-- Why: nearest neighbours of large tenants come from an HNSW graph; smaller ones are read exactly, without it.
-- Done otherwise than in the document: each index is built concurrently and outside any transaction, as it must be; all
-- have explicit parameters; none has a predicate, since a query that does not repeat it could not use the index, and rows
-- without an embedding are not in the graph in any case; a broken index of a failed build is dropped and built again.
-- An HNSW index on type vector holds at most 2000 dimensions. For models of up to 4000 the graph can be built on
-- (column::halfvec(n)) with halfvec_cosine_ops, in a version of your own; this one refuses instead of failing half-way.

do $$
begin
    if ${embedding_dimensions} > 2000 then
        raise exception 'an HNSW index on type vector holds at most 2000 dimensions, not %', ${embedding_dimensions}
            using errcode = '54000',
                  hint = 'take a model of at most 2000 dimensions, or ask the provider for shortened vectors; up to 4000 '
                         'can be indexed as halfvec, see README.md of the pack';
    end if;
end
$$;
select strata_aurum.note_index(7, 'public.journal_entries', 'idx_journal_content_embedding',
    'CREATE INDEX idx_journal_content_embedding ON journal_entries USING hnsw (content_embedding vector_cosine_ops) '
    'WITH (m=''16'', ef_construction=''64'')');
select strata_aurum.note_index(7, 'public.tasks', 'idx_task_description_embedding',
    'CREATE INDEX idx_task_description_embedding ON tasks USING hnsw (description_embedding vector_cosine_ops) '
    'WITH (m=''16'', ef_construction=''64'')');
select strata_aurum.note_index(7, 'public.insights', 'idx_insight_embedding',
    'CREATE INDEX idx_insight_embedding ON insights USING hnsw (embedding vector_cosine_ops) '
    'WITH (m=''16'', ef_construction=''64'')');

-- For this session alone. A graph that does not fit into the memory is finished on disk, many times slower.
set maintenance_work_mem = ${index_build_memory};
set statement_timeout = 0;

drop index concurrently if exists public.idx_journal_content_embedding_going;
create index concurrently if not exists idx_journal_content_embedding
    on public.journal_entries using hnsw (content_embedding vector_cosine_ops) with (m = 16, ef_construction = 64);

drop index concurrently if exists public.idx_task_description_embedding_going;
create index concurrently if not exists idx_task_description_embedding
    on public.tasks using hnsw (description_embedding vector_cosine_ops) with (m = 16, ef_construction = 64);

drop index concurrently if exists public.idx_insight_embedding_going;
create index concurrently if not exists idx_insight_embedding
    on public.insights using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64);

reset maintenance_work_mem;
reset statement_timeout;
