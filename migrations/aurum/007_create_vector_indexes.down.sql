-- 007 down: drops the vector indexes that version 007 built, without stopping anybody. Embeddings stay.

select strata_aurum.retire_indexes(7);
drop index concurrently if exists public.idx_journal_content_embedding_going;
drop index concurrently if exists public.idx_task_description_embedding_going;
drop index concurrently if exists public.idx_insight_embedding_going;
