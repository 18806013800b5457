-- continue_model_changes: one page of the walk of every change of a model that is open.
-- $1 int8 rows a page
-- rows: enqueued text, done text ("true": every source was walked to its end)
select p.enqueued::text, p.done::text from strata.continue_model_changes($1::int8::int) p
