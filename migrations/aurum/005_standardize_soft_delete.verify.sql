-- 005 verify: old and new say the same of every row; the backup is whole; trigger and index are there and at work.
-- Once version 012 has dropped the old columns there is nothing to compare with and nothing to keep in step.
with old_columns (there) as (
    select count(*) = 2 from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.journal_entries') and a.attname in ('deleted', 'deleted_at') and not a.attisdropped
), checks (check_name, expected, actual) as (
    select 'column ' || w.name, w.type,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                     'default ' || pg_get_expr(d.adbin, d.adrelid))
    from (values ('archived', 'boolean, not null, default false'), ('archived_at', 'timestamp with time zone')) w (name, type)
    left join pg_catalog.pg_attribute a
        on a.attrelid = to_regclass('public.journal_entries') and a.attname = w.name and not a.attisdropped
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    -- Inside, `deleted` is the column of the table where it has one, else that of the row beside it.
    select 'entries whose old and new flags differ', '0', count(*)::text
    from (select null::boolean as deleted) gone
    cross join lateral (select j.archived, deleted as was from public.journal_entries j) e
    where (select there from old_columns) and e.archived <> coalesce(e.was, false)
    union all
    select 'archived entries without a time', '0', count(*)::text
    from public.journal_entries j where j.archived and j.archived_at is null
    union all
    select 'rows of the backup that do not fit their checksum', '0', count(*)::text
    from strata_aurum.soft_delete_backup b
    where b.checksum <> sha256(convert_to(concat_ws('|', b.id, b.deleted, b.deleted_at at time zone 'UTC'), 'UTF8'))
    union all
    select 'trigger sync_soft_delete', case when one.there then 'enabled' else 'gone' end,
           case when t.oid is null then 'gone' when t.tgenabled = 'O' then 'enabled' else 'disabled' end
    from old_columns one
    left join pg_catalog.pg_trigger t
        on t.tgrelid = to_regclass('public.journal_entries') and t.tgname = 'sync_soft_delete'
    union all
    select 'index idx_journal_entries_archived', 'valid, (user_id, created_at DESC) WHERE (NOT archived)',
           case when x.indisvalid then 'valid, ' || substring(pg_get_indexdef(x.indexrelid) from '\(.*\)') end
    from (values (1)) one
    left join pg_catalog.pg_index x on x.indexrelid = to_regclass('public.idx_journal_entries_archived')
    union all
    select 'old columns', case when exists (
               select from strata.kept k
               where k.relation = 'public.journal_entries' and k.columns = array['deleted', 'deleted_at']
                 and k.state in ('kept', 'finalized')) then '0' else '2' end, count(*)::text
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.journal_entries') and a.attname in ('deleted', 'deleted_at') and not a.attisdropped
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
