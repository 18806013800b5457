-- 001 verify: pgvector is there, new enough for iterative scans and halfvec, and counts right.
select c.check_name, c.expected, c.actual, coalesce(c.ok, false) as ok
from (
    select 'extension vector' as check_name, '0.8 or later' as expected, e.extversion as actual,
           string_to_array(substring(e.extversion from '^\d+\.\d+'), '.')::int[] >= array[0, 8] as ok
    from (values ('vector')) w (name)
    left join pg_catalog.pg_extension e on e.extname = w.name
    union all
    select 'distance of [1,2,3] and [1,2,5]', '2', d.distance::text, d.distance = 2
    from (select '[1,2,3]'::vector <-> '[1,2,5]'::vector as distance) d
    union all
    select 'books of the pack', 'strata_aurum.kept, strata_aurum.made',
           string_agg(format('%I.%I', t.schemaname, t.tablename), ', ' order by t.tablename),
           count(*) filter (where t.tablename in ('kept', 'made')) = 2
    from pg_catalog.pg_tables t
    where t.schemaname = 'strata_aurum' and t.tablename in ('kept', 'made')
) c;
