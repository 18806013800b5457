-- index_state: whether an index of this name stands on the table, whether it is whole, and if not, who is building it.
-- A build holds its lock on the table from beginning to end, and everybody may see locks. Asked as the role that the file
-- has taken, which need not have a right in strata's schema.
-- $1 text table, as written   $2 text index name
-- rows: state text ('valid', 'building' by another session, 'invalid'), name text, builder text or null; or no row
select case when i.indisvalid and i.indisready then 'valid' when b.pid is not null then 'building' else 'invalid' end,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       'pid ' || b.pid::text || ' (' || pg_catalog.concat_ws(', ', b.usename, nullif(b.application_name, '')) || ')'
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join lateral (
    select p.pid, a.usename, a.application_name
    from pg_catalog.pg_stat_progress_create_index p
    join pg_catalog.pg_stat_activity a on a.pid = p.pid
    join pg_catalog.pg_locks l on l.pid = p.pid and l.relation = i.indrelid and l.granted
                              and l.mode = 'ShareUpdateExclusiveLock'
    where p.pid <> pg_backend_pid() and coalesce(nullif(p.index_relid, 0::oid), i.indexrelid) = i.indexrelid
    limit 1
) b on true
where i.indrelid = to_regclass($1::text)::oid and c.relname::text = $2::text
