-- 005 down: takes back archived and archived_at, and leaves the old columns as they were.
--
-- What people archived or restored in the meantime is in the old columns already, by the trigger. Of the rows that the
-- way up archived, those that nobody has touched since are compared with the backup, its checksums first.

select strata_aurum.retire_indexes(5);
drop index concurrently if exists public.idx_journal_entries_archived_going;

do $$
declare
    damaged bigint;
begin
    if to_regclass('strata_aurum.soft_delete_backup') is null then
        return;
    end if;
    select count(*) into damaged from strata_aurum.soft_delete_backup b
    where b.checksum <> sha256(convert_to(concat_ws('|', b.id, b.deleted, b.deleted_at at time zone 'UTC'), 'UTF8'));
    if damaged > 0 then
        raise exception '% rows of strata_aurum.soft_delete_backup do not fit their checksum', damaged
            using errcode = '55000', hint = 'somebody changed the backup; restore it, or delete those rows to do without them';
    end if;
    drop trigger if exists sync_soft_delete on public.journal_entries;
    perform set_config('strata_aurum.backfill', 'on', true);
    update public.journal_entries j
    set deleted = b.deleted, deleted_at = b.deleted_at
    from strata_aurum.soft_delete_backup b
    where b.id = j.id and j.archived and j.archived_at = b.archived_at
      and (j.deleted, j.deleted_at) is distinct from (b.deleted, b.deleted_at);
    perform set_config('strata_aurum.backfill', '', true);
end
$$;
drop function if exists strata_aurum.sync_soft_delete();
drop table if exists strata_aurum.soft_delete_backup;
select strata_aurum.undo(5, 'public.journal_entries');

-- strata: new transaction
select strata_aurum.settle(5);
