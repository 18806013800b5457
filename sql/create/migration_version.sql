-- migration_version: the highest version of a pack that is applied, or null.
create function strata.migration_version(pack text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
    select max(m.version) from strata.migration m where m.pack = $1 and m.state in ('applied', 'reverting')
$$;
