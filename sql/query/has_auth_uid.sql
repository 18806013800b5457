-- has_auth_uid: whether Supabase's auth.uid() is here and the caller may call it. Written for any search_path, as
-- search_sources is. row: bool
select exists (
    select from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) p.pronamespace
    where n.nspname operator(pg_catalog.=) 'auth' and p.proname operator(pg_catalog.=) 'uid'
      and p.pronargs operator(pg_catalog.=) 0
      and p.prorettype operator(pg_catalog.=) 'pg_catalog.uuid'::pg_catalog.regtype
      and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_function_privilege(p.oid, 'execute')
)
