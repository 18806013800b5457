-- claim_jobs: leases a batch of jobs, for as long as this session lives. Its commit does not wait for the disk: what a crash
-- of the server takes is queued as it was.
-- $1 text worker   $2 int4 rows at most   $3 text[] models
select j.entity_type, j.entity_id, j.model, j.fence, j.content, j.content_hash, j.attempts, j.chunk_tokens, j.chunk_overlap
from pg_catalog.set_config('synchronous_commit', 'off', true), strata.claim_jobs($1::text, $2::int4, while_connected => true, models => $3::text[]) j
