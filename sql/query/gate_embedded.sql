-- gate_embedded: the gate "embedded": every row that has text has its embedding, and no job is left, waiting or dead.
-- rows: check_name text, expected text, actual text, ok as text; one for each source, one where there is none
select 'embeddings of ' || q.entity_type as check_name,
       '0 missing, 0 waiting, 0 dead' as expected,
       coalesce(q.missing::text, 'table gone, ?') || ' missing, ' || q.queued + q.leased || ' waiting, ' || q.dead || ' dead'
           as actual,
       (coalesce(q.missing = 0, false) and q.queued + q.leased + q.dead = 0)::text as ok
from strata.queue_status() q
union all
select 'sources', '0 or more', '0', 'true' where not exists (select from strata.source)
order by 1
