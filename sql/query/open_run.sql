-- open_run: the run of a pack that has not ended.
-- $1 text pack
-- rows: id, direction, state, alive ('true' or 'false': its executor), pid, who asked for it, version, step, steps, summary;
-- all text; none where every run has ended
select r.id::text, r.direction, r.state, strata.run_is_alive(r.id)::text, r.executor_pid::text, r.requested_by,
       s.version::text, s.number::text, s.steps::text, s.summary
from strata.run r
left join lateral (
    select x.version, x.number, x.steps, x.summary from strata.run_step x where x.run = r.id order by x.started_at desc limit 1
) s on true
where r.pack = $1::text and r.state in ('queued', 'running', 'waiting')
