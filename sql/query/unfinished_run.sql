-- unfinished_run: the run of a pack that has not ended, or has left a version half-way, as strata.unfinished_run tells it.
-- $1 text pack
-- rows: run, direction, state, alive ('true' or 'false'), pid, requested_by, version, step, steps, summary, sqlstate, message; all
-- text; none where every run has ended well
select u.run::text, u.direction, u.state, u.alive::text, u.pid::text, u.requested_by, u.version::text, u.step::text,
       u.steps::text, u.summary, u.sqlstate, u.message
from strata.unfinished_run($1::text) u
