-- vector_schema: the schema that pgvector lives in, by catalog. Operators and functions of pgvector are written with it,
-- so that no search_path can hide or replace them. Raises 55000 where pgvector is not installed.
create function strata.vector_schema() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    found_in text;
begin
    select n.nspname into found_in
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'vector';
    if found_in is null then
        raise exception 'extension "vector" is not installed in this database'
            using errcode = '55000', hint = 'run "create extension vector"';
    end if;
    return found_in;
end
$$;

-- Before anything leans on it: what is older has no iterative scans, and faults that lose rows.
do $install$
declare
    version text := (select e.extversion from pg_catalog.pg_extension e where e.extname = 'vector');
begin
    if pg_catalog.string_to_array(pg_catalog.substring(version, '^[0-9]+\.[0-9]+'), '.')::int[] < array[0, 8] then
        raise exception 'pgvector % is older than 0.8', version
            using errcode = '55000', hint = 'install pgvector 0.8 or later beside the server, then run "alter extension vector update"';
    end if;
end
$install$;
