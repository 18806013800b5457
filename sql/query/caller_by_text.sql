-- caller_by_text: who is asking, by the claims of the request, whatever a subject looks like. Written for any search_path, as
-- search_sources is. row: text, null where nobody is named
select case when c.claims operator(pg_catalog.<>) '' then c.claims::pg_catalog.jsonb operator(pg_catalog.->>) 'sub' end
from (select pg_catalog.current_setting('request.jwt.claims', true)) c(claims)
