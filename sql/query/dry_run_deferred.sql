-- dry_run_deferred: the constraints that begin each transaction deferred. A dry run checks them where the run would commit,
-- and defers them again for what comes next.
-- rows: names text, as `set constraints` takes them; null where there are none
select string_agg(k.name, ', ')
from (
    select format('%I.%I', n.nspname, c.conname) as name
    from pg_catalog.pg_constraint c
    join pg_catalog.pg_namespace n on n.oid = c.connamespace
    where has_schema_privilege(n.oid, 'usage')
    group by 1
    having bool_and(c.condeferrable) and bool_or(c.condeferred)
) k
