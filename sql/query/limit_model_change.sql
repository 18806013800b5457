-- limit_model_change: another budget for a change.
-- $1 text the new model   $2 int8 tokens, or null: no limit
select strata.limit_model_change($1::text, $2::int8)::text
