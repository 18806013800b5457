-- 005 give journal entries the soft delete of the other tables: archived and archived_at, beside the old columns.
--
-- Why: one word for one thing. This is the expanding half. `deleted` and `deleted_at` stay, and a trigger keeps old and
-- new in step both ways, so that the old and the new application run side by side; dropping the old columns is a later
-- version of its own, behind a sign-off.
-- Done otherwise than in the document: what is changed is saved in a table that lasts, in the very transaction that
-- changes it; rows are changed in batches that commit, not by one statement that locks them all; nothing is dropped;
-- archived cannot be null, so that no row falls out of the index; the index is built without stopping writers, and does
-- not repeat in its key what its predicate says; updated_at stays, because nobody edited anything.

select strata_aurum.expect_columns(5, 'public.journal_entries',
    jsonb_build_object('archived', 'boolean', 'archived_at', 'timestamp with time zone'));
alter table public.journal_entries
    add column if not exists archived boolean default false,
    add column if not exists archived_at timestamptz;
select strata_aurum.note_constraint(5, 'public.journal_entries', 'chk_journal_archived_not_null');

create table if not exists strata_aurum.soft_delete_backup (
    id          uuid        primary key,
    deleted     boolean,
    deleted_at  timestamptz,
    archived_at timestamptz not null,
    checksum    bytea       not null,
    saved_at    timestamptz not null default now()
);
comment on table strata_aurum.soft_delete_backup is
    'journal entries as they were before version 005 archived them; keep until the old columns are dropped and signed off';

-- Whichever pair a statement changes, the other follows. A statement that only catches up changes nothing in the old
-- pair: NULLs of old rows stay NULL.
create or replace function strata_aurum.sync_soft_delete() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    was_deleted  boolean := tg_op = 'UPDATE' and coalesce(old.deleted, false);
    was_archived boolean := tg_op = 'UPDATE' and coalesce(old.archived, false);
begin
    new.archived := coalesce(new.archived, false);
    if coalesce(new.deleted, false) <> was_deleted then
        new.archived := not was_deleted;
        new.archived_at := case when new.archived then coalesce(new.deleted_at, new.archived_at, now()) end;
    elsif new.archived <> was_archived and new.archived <> was_deleted then
        new.archived_at := case when new.archived then coalesce(new.archived_at, now()) end;
        new.deleted := new.archived;
        new.deleted_at := new.archived_at;
    elsif tg_op = 'UPDATE' and new.archived and was_archived then
        if new.deleted_at is distinct from old.deleted_at then
            new.archived_at := coalesce(new.deleted_at, new.archived_at);
        elsif new.archived_at is distinct from old.archived_at then
            new.deleted_at := new.archived_at;
        end if;
    end if;
    return new;
end
$$;
drop trigger if exists sync_soft_delete on public.journal_entries;
create trigger sync_soft_delete
    before insert or update of deleted, deleted_at, archived, archived_at on public.journal_entries
    for each row execute function strata_aurum.sync_soft_delete();

call strata.backfill('aurum 005 archive', 'public.journal_entries', 'id', $$
    with quiet as (
        select set_config('strata_aurum.backfill', 'on', true) as it
    ), saved as (
        insert into strata_aurum.soft_delete_backup (id, deleted, deleted_at, archived_at, checksum)
        select j.id, j.deleted, j.deleted_at, coalesce(j.deleted_at, now()),
               sha256(convert_to(concat_ws('|', j.id, j.deleted, j.deleted_at at time zone 'UTC'), 'UTF8'))
        from public.journal_entries j
        where j.id between $1::uuid and $2::uuid and j.deleted and j.archived is not true
        on conflict (id) do nothing
    )
    update public.journal_entries j
    set archived = coalesce(j.deleted, false),
        archived_at = case when j.deleted then coalesce(j.deleted_at, now()) end
    from quiet
    where j.id between $1::uuid and $2::uuid and j.archived is distinct from coalesce(j.deleted, false)
$$);

alter table public.journal_entries
    drop constraint if exists chk_journal_archived_not_null,
    add constraint chk_journal_archived_not_null check (archived is not null) not valid;

-- strata: new transaction
alter table public.journal_entries validate constraint chk_journal_archived_not_null;

-- strata: new transaction
-- The validated check spares SET NOT NULL its scan, and has done its work then.
alter table public.journal_entries alter column archived set not null;
alter table public.journal_entries drop constraint chk_journal_archived_not_null;

-- strata: new transaction
select strata_aurum.note_index(5, 'public.journal_entries', 'idx_journal_entries_archived',
    'CREATE INDEX idx_journal_entries_archived ON journal_entries USING btree (user_id, created_at DESC) '
    'WHERE (NOT archived)');
drop index concurrently if exists public.idx_journal_entries_archived_going;
create index concurrently if not exists idx_journal_entries_archived
    on public.journal_entries (user_id, created_at desc) where not archived;
