-- 006 down: takes the new constraints back, says again what the rows said, and gives projects its old constraint back.
--
-- A row whose status has been changed since keeps what it says now. The old constraint comes back unvalidated, so that
-- nobody waits, and is validated at the end.

select strata_aurum.undo(6, 'public.tasks');

-- strata: new transaction
select strata_aurum.undo(6, 'public.projects');
-- A way up that failed early left no table; nothing is to be said again then.
create table if not exists strata_aurum.status_before (id uuid primary key, relation text, was text, became text);

call strata.backfill('aurum 006 back', 'strata_aurum.status_before', 'id', $$
    with quiet as (
        select set_config('strata_aurum.backfill', 'on', true) as it
    ), tasks as (
        update public.tasks t set status = b.was
        from strata_aurum.status_before b, quiet
        where b.id between $1::uuid and $2::uuid and b.relation = 'public.tasks' and t.id = b.id and t.status = b.became
    )
    update public.projects p set status = b.was
    from strata_aurum.status_before b, quiet
    where b.id between $1::uuid and $2::uuid and b.relation = 'public.projects' and p.id = b.id and p.status = b.became
$$);

drop trigger if exists zz_keep_updated_at_in_backfill on public.projects;
drop function if exists strata_aurum.translate_status(text, uuid, uuid);
drop table if exists strata_aurum.status_word, strata_aurum.status_before;

-- strata: new transaction
select strata_aurum.settle(6);
