-- has_auth_uid: whether Supabase's auth.uid() is here and the caller may call it. row: bool
select exists (
    select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'auth' and p.proname = 'uid' and p.pronargs = 0 and p.prorettype = 'uuid'::pg_catalog.regtype
      and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_function_privilege(p.oid, 'execute')
)
