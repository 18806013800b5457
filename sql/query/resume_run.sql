-- resume_run: has a background worker of the current role turn a run.
-- $1 text run
select strata.resume_run($1::text::uuid)::text
