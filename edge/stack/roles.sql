-- The role that PostgREST connects as, and what it may become. Supabase has it from the beginning.
do $$
begin
    if not exists (select from pg_catalog.pg_roles r where r.rolname = 'authenticator') then
        create role authenticator login noinherit;
    end if;
end
$$;
grant anon, authenticated, service_role to authenticator;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
grant usage on schema public to anon, authenticated, service_role;
