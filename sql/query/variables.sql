-- variables: the values that a pack was given when it was last run.
-- $1 text pack
-- rows: name text, value text
select v.key, v.value
from strata.pack p, jsonb_each_text(p.variables) v
where p.name = $1::text
