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
