-- 012 drop the old soft-delete columns of journal entries, now that nobody reads or writes them.
--
-- Why: version 005 gave archived and archived_at, and kept deleted and deleted_at in step with them for the applications of
-- former releases. This is the contracting half: it starts only when somebody has signed that no such application is left
-- and that a backup was restored, and when everything before it verifies.
-- Done otherwise than in the document: the values are kept, by key, in a copy that nobody may read, so that the way down
-- brings every one of them back; the copy is made beside the application, and the drop is one short lock.

-- Search has left out what `deleted` hides; the trigger has kept `archived` in step, which hides the same.
update strata.source set hidden_column = 'archived' where entity_type = 'journal_entry' and hidden_column = 'deleted';
drop trigger if exists sync_soft_delete on public.journal_entries;

call strata.retire_columns('public.journal_entries', array['deleted', 'deleted_at']);
