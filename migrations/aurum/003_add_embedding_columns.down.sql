-- 003 down: forgets the sources and the model, and takes back the columns and constraints that version 003 made.
--
-- Columns that were there before stay. Scores and short cuts that somebody has set are saved in strata_aurum.kept and
-- come back with the next up; embeddings are not saved, they can be computed again. One table a transaction.

select strata.drop_source(s.entity_type) from strata.source s
where s.entity_type = 'insight' and s.relation_schema = 'public' and s.relation_name = 'insights';
-- Version 002 made the column, but what is in it came with the source.
update public.insights set embedding = null, embedding_model = null, embedding_updated_at = null where embedding is not null;

-- strata: new transaction
select strata.drop_source(s.entity_type) from strata.source s
where s.entity_type = 'task' and s.relation_schema = 'public' and s.relation_name = 'tasks';

-- strata: new transaction
select strata.drop_source(s.entity_type) from strata.source s
where s.entity_type = 'journal_entry' and s.relation_schema = 'public' and s.relation_name = 'journal_entries';

-- strata: new transaction
select strata.drop_model(k.name) from strata_aurum.made m join strata.model k on k.name = m.name
where m.version = 3 and m.kind = 'model' and not exists (select from strata.source s where s.model = k.name);

-- strata: new transaction
drop trigger if exists zz_keep_updated_at on public.tasks;
drop trigger if exists zz_keep_updated_at_in_backfill on public.tasks;
select strata_aurum.keep(3, 'public.tasks',
    array['description_embedding', 'name_embedding', 'embedding_model', 'embedding_updated_at']);
select strata_aurum.undo(3, 'public.tasks');

-- strata: new transaction
drop trigger if exists zz_keep_updated_at on public.journal_entries;
drop trigger if exists zz_keep_updated_at_in_backfill on public.journal_entries;
select strata_aurum.undo(3, 'public.journal_entries');

-- strata: new transaction
select strata_aurum.settle(3);
