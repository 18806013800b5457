-- session_search_path: the search_path that a session of this role in this database starts with. Triggers of the
-- application run with it when we write to its tables: under ours they would not find their own tables.
create function strata.session_search_path() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select s.reset_val from pg_settings s where s.name = 'search_path'
$$;
