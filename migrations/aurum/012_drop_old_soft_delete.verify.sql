-- 012 verify: the old columns and what kept them in step are gone, their values are kept, and nobody may read them.
with copy as (
    select k.copy, k.rows, to_regclass(k.copy) as relation
    from strata.kept k
    where k.relation = 'public.journal_entries' and k.columns = array['deleted', 'deleted_at'] and k.state = 'kept'
), checks (check_name, expected, actual) as (
    select 'old columns', '0', count(*)::text
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.journal_entries') and a.attname in ('deleted', 'deleted_at') and not a.attisdropped
    union all
    select 'triggers that kept them in step', '0', count(*)::text
    from pg_catalog.pg_trigger t
    where t.tgrelid = to_regclass('public.journal_entries') and (t.tgname = 'sync_soft_delete' or t.tgname ~ '^strata_keep_')
    union all
    select 'what hides an entry from search', 'archived', s.hidden_column from strata.source s where s.entity_type = 'journal_entry'
    union all
    select 'copy of their values, until it is cleaned up', 'closed', coalesce(
        (select case when c.relrowsecurity and not exists (
                    select from aclexplode(c.relacl) a where a.grantee <> c.relowner) then 'closed' else 'open' end
         from copy join pg_catalog.pg_class c on c.oid = copy.relation),
        (select 'closed' from strata.kept k where k.relation = 'public.journal_entries' and k.state = 'finalized' limit 1))
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
