-- claim_jobs: leases a batch of jobs.
-- $1 text worker   $2 int4 rows at most
select j.entity_type, j.entity_id, j.model, j.fence, j.content, j.content_hash
from strata.claim_jobs($1::text, $2::int4) j
