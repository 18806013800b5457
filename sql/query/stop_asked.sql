-- stop_asked: whether the operator wants this run to stop.
-- $1 text run
-- rows: asked text ('true' or 'false')
select strata.stop_asked($1::text::uuid)::text
