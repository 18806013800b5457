-- continue_model_changes: one page of the walk of every change of a model that is open.
-- $1 int8 rows a page
-- rows: enqueued text, done text ("true": every source was walked to its end)
select coalesce(sum(p.enqueued), 0)::text, coalesce(bool_and(p.done), true)::text
from strata.model_change c
cross join lateral strata.continue_model_change(c.to_model, $1::int8::int) p
