-- 003 down: forgets the sources and the model, and takes back the columns and constraints that version 003 made.
--
-- Columns that were there before stay. Scores and short cuts that somebody has set are saved in strata_aurum.kept and
-- come back with the next up; embeddings are not saved, they can be computed again.

do $$
declare
    registered text;
begin
    for registered in select s.entity_type from strata.source s
                      where (s.entity_type, s.relation_schema, s.relation_name) in
                            (('journal_entry', 'public', 'journal_entries'), ('task', 'public', 'tasks'),
                             ('insight', 'public', 'insights')) loop
        perform strata.drop_source(registered);
    end loop;
    for registered in select m.name from strata_aurum.made m join strata.model k on k.name = m.name
                      where m.version = 3 and m.kind = 'model'
                        and not exists (select from strata.source s where s.model = m.name) loop
        perform strata.drop_model(registered);
    end loop;
    -- Version 002 made the column, but what is in it came with the source.
    if exists (select from pg_catalog.pg_attribute a where a.attrelid = 'public.insights'::regclass
               and a.attname = 'embedding' and not a.attisdropped) then
        update public.insights set embedding = null, embedding_model = null, embedding_updated_at = null
        where embedding is not null;
    end if;
end
$$;

-- strata: new transaction
drop trigger if exists zz_keep_updated_at on public.tasks;
drop trigger if exists zz_keep_updated_at_in_backfill on public.tasks;
drop trigger if exists zz_keep_updated_at on public.journal_entries;
drop trigger if exists zz_keep_updated_at_in_backfill on public.journal_entries;
select strata_aurum.keep(3, 'public.tasks',
    array['description_embedding', 'name_embedding', 'embedding_model', 'embedding_updated_at']);
select strata_aurum.undo(3);

-- strata: new transaction
select strata_aurum.settle(3);
