-- 012 down: brings the old columns back with every value that they had, and the trigger that keeps them in step.
--
-- They come back as the last columns of the table, which is where Postgres adds one. Entries that were archived, restored
-- or written while they were away get what archived says, as the trigger of version 005 would have written it.

set strata_aurum.backfill = 'on';
call strata.restore_columns('public.journal_entries', array['deleted', 'deleted_at']);

call strata.backfill('aurum 012 back', 'public.journal_entries', 'id', $$
    update public.journal_entries j
    set deleted = j.archived, deleted_at = case when j.archived then j.archived_at end
    where j.id between $1::uuid and $2::uuid and coalesce(j.deleted, false) <> j.archived
$$);

drop trigger if exists sync_soft_delete on public.journal_entries;
create trigger sync_soft_delete
    before insert or update of deleted, deleted_at, archived, archived_at on public.journal_entries
    for each row execute function strata_aurum.sync_soft_delete();
update strata.source set hidden_column = 'deleted' where entity_type = 'journal_entry' and hidden_column = 'archived';
