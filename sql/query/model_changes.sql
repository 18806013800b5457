-- model_changes: the changes of models that are open.
-- rows: from, to, state, sources, walked, queued, leased, dead, spent, budget or null, stopped, started, switched or null; all text
select c.from_model, c.to_model, c.state, c.sources::text, c.walked::text, c.queued::text, c.leased::text, c.dead::text,
       c.spent_tokens::text, c.budget_tokens::text, c.stopped::text,
       to_char(c.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(c.switched_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
from strata.model_changes() c
