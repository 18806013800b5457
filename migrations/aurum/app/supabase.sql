-- Stand-ins for what Supabase brings: schema auth with users and uid(), and the three roles of its API.
-- For a plain Postgres only: whatever is there already, above all the real thing, is left exactly as it is.
-- No psql commands in here, so any client can send it.

do $$
declare
    role text;
begin
    -- Roles belong to the whole cluster: another database may be making them at this very moment.
    foreach role in array array['anon', 'authenticated', 'service_role'] loop
        continue when exists (select from pg_catalog.pg_roles r where r.rolname = role);
        begin
            execute format('create role %I nologin noinherit %s', role,
                           case role when 'service_role' then 'bypassrls' else '' end);
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
end
$$;

do $$
begin
    if to_regnamespace('auth') is null then
        create schema auth;
        grant usage on schema auth to anon, authenticated, service_role;
    end if;
    if to_regclass('auth.users') is null then
        create table auth.users (
            id         uuid        primary key default gen_random_uuid(),
            email      text        unique,
            created_at timestamptz not null default now()
        );
    end if;
    -- Who the caller is, as PostgREST tells it: the claims of the verified token, set for one transaction. Without a search
    -- path of its own, as Supabase's, so that the planner takes it apart.
    if to_regprocedure('auth.uid()') is null then
        create function auth.uid() returns uuid
        language sql stable parallel safe
        as $body$
            select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
        $body$;
    end if;
end
$$;
