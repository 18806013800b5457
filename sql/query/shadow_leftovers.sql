-- shadow_leftovers: shadows whose session has ended before it could drop them: it was killed.
-- rows: statement text
select pg_catalog.format('drop database if exists %I with (force)', d.datname)
from pg_catalog.pg_database d
cross join lateral pg_catalog.regexp_match(d.datname::text, '^strata_shadow_(\d+)_(\d+)$') m(part)
where m.part is not null and pg_catalog.pg_has_role(d.datdba, 'usage'::text) and not exists (
    select from pg_catalog.pg_stat_activity a
    where a.pid::bigint = m.part[1]::bigint
      and coalesce((extract(epoch from a.backend_start) * 1000000::numeric)::bigint = m.part[2]::bigint, true))
