-- session_schemas: the schemas of the session's search_path that there are, in its order.
create function strata.session_schemas() returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(n.nspname::text order by s.position), '{}')
    from unnest(string_to_array(strata.session_search_path(), ',')) with ordinality s (raw, position)
    cross join lateral (select trim(both '"' from trim(raw)) as p) q
    join pg_namespace n on n.nspname = case p when '$user' then session_user else p end
$$;
revoke execute on function strata.session_schemas() from public;
