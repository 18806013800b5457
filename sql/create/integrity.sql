-- integrity: what the catalog and the state of a pack say of each other, of every pack where none is named: (check_name,
-- expected, actual, ok). The verifications of the versions are strata.verify's. Raises nothing.
create function strata.integrity(pack text)
returns table (check_name text, expected text, actual text, ok boolean)
language sql stable set search_path = pg_catalog, pg_temp as $$
    with found (position, check_name, expected, actual) as (
        select 1, 'versions half-way', 'none', (
            select string_agg(format('%s %s %s', m.pack, m.version, m.state), ', ' order by m.pack, m.version)
            from strata.migration m where m.state in ('applying', 'reverting') and m.pack = coalesce($1, m.pack))
        union all
        select 2, 'applied files that changed or are gone', 'none', (
            select string_agg(format('%s %s', m.pack, m.version), ', ' order by m.pack, m.version)
            from strata.migration m
            where m.state = 'applied' and m.pack = coalesce($1, m.pack)
              and exists (select from strata.pack_file f where f.pack = m.pack)
              and not exists (
                  select from strata.pack_file f
                  where f.pack = m.pack and f.name ~ '\.up\.sql$' and f.checksum = m.checksum
                    and coalesce(nullif(ltrim(split_part(f.name, '_', 1), '0'), ''), '0') = m.version::text))
        union all
        select 3, 'steps that run without an executor', 'none', (
            select string_agg(format('%s %s step %s', r.pack, s.version, s.number), ', ' order by r.pack, s.version, s.number)
            from strata.run_step s join strata.run r on r.id = s.run
            where s.state = 'running' and r.pack = coalesce($1, r.pack)
              and not (r.state = 'running' and strata.run_is_alive(r.id)))
        union all
        select 4, 'invalid indexes', 'none', (
            select string_agg(x.indexrelid::regclass::text, ', ' order by x.indexrelid)
            from pg_index x join pg_class c on c.oid = x.indexrelid
            where not x.indisvalid and c.relkind = 'i' and c.relnamespace::regnamespace::text !~ '^pg_'
              and not exists (select from pg_stat_progress_create_index p where p.index_relid = x.indexrelid))
        union all
        select 5, 'constraints that are not validated', 'none', (
            select string_agg(format('%s of %s', c.conname, c.conrelid::regclass), ', ' order by c.conname)
            from pg_constraint c where not c.convalidated and c.contype in ('c', 'f') and c.conrelid <> 0)
        union all
        select 6, 'sources whose triggers are disabled or gone', 'none', (
            select string_agg(format('%s: %s', s.entity_type, e.event), ', ' order by s.entity_type, e.event)
            from strata.source s
            cross join unnest(array['insert', 'update']) e(event)
            left join pg_trigger t
                on t.tgrelid = to_regclass(format('%I.%I', s.relation_schema, s.relation_name))
                and t.tgname = 'strata_' || e.event || '_' || s.entity_type
            where t.oid is null or t.tgenabled = 'D')
        union all
        select 7, format('rows kept of %s%s', k.relation, coalesce(' ' || k.columns::text, '')),
               coalesce(k.rows::text, 'counted'), coalesce(strata.count_kept(k.id)::text, 'gone')
        from strata.kept k
        where k.state = 'kept' and ($1 is null or k.pack = $1)
        union all
        select 8, format('copy of %s%s', k.relation, coalesce(' ' || k.columns::text, '')), 'whole', k.state
        from strata.kept k
        where k.state in ('copying', 'restoring') and ($1 is null or k.pack = $1)
    )
    select f.check_name, f.expected, coalesce(f.actual, 'none'), f.expected = coalesce(f.actual, 'none')
    from found f
    order by f.position, f.check_name
$$;
revoke execute on function strata.integrity(text) from public;
