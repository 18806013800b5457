-- revert_model: searches the sources of a change under the old model again.
-- $1 text the new model   $2 int8 rows that may lack a vector
-- rows: sources text, missing text, held text (milliseconds)
select s.sources::text, s.missing::text, round(1000::numeric * extract(epoch from s.held), 3)::text
from strata.revert_model($1::text, $2::int8) s
