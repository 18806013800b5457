-- caller: who is asking, under Supabase's convention. Runs only where auth.uid() does not exist or may not be called.
-- Written for any search_path, as search_sources is. row: uuid, null where nobody is named
select (case when c.claims operator(pg_catalog.<>) '' then c.claims::pg_catalog.jsonb operator(pg_catalog.->>) 'sub' end)::pg_catalog.uuid
from (select pg_catalog.current_setting('request.jwt.claims', true)) c(claims)
