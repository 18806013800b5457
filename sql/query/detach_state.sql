-- detach_state: whether a partition still belongs to its parent.
-- $1 text parent, as written   $2 text partition, as written
-- rows: state text ('attached', 'pending'); none: it is no partition of it
select case when i.inhdetachpending then 'pending' else 'attached' end
from pg_catalog.pg_inherits i
where i.inhparent = to_regclass($1::text)::oid and i.inhrelid = to_regclass($2::text)::oid
