-- runs_to_take: runs that nobody executes.
-- $1 text how long a queued run is left to its own worker, an interval
-- rows: run text, pack text, request text, requested_by text, taking text ('here', 'hand over', 'changed', 'refused')
select t.run::text, t.pack, t.request::text, t.requested_by, t.taking from strata.runs_to_take($1::text::interval) t
