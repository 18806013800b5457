-- estimate_model_change: what a change of models would take.
-- $1 text from   $2 text to   $3 text price of a million tokens, or null
-- rows: entity_type, rows, tokens, price or null, sampled; all text
select e.entity_type, e.rows::text, e.tokens::text, e.price::text, e.sampled::text
from strata.estimate_model_change($1::text, $2::text, $3::text::numeric) e
