-- claim_jobs: leases a batch of jobs, for as long as this session lives.
-- $1 text worker   $2 int4 rows at most   $3 text[] models
select j.entity_type, j.entity_id, j.model, j.fence, j.content, j.content_hash, j.attempts, j.chunk_tokens, j.chunk_overlap
from strata.claim_jobs($1::text, $2::int4, while_connected => true, models => $3::text[]) j
