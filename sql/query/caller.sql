-- caller: who is asking, under Supabase's convention. Runs only where auth.uid() does not exist or may not be called.
-- row: uuid, null where nobody is named
select (nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
