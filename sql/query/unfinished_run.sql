-- unfinished_run: the run of a pack that has not ended, or that has failed or was cancelled and has left a version half-way.
-- $1 text pack
-- rows: id, direction, state, alive ('true' or 'false': its executor), pid, who asked for it, version, step, steps, summary,
-- sqlstate, message; all text; none where every run has ended well
select r.id::text, r.direction, r.state, strata.run_is_alive(r.id)::text, r.executor_pid::text, r.requested_by,
       s.version::text, s.number::text, s.steps::text, s.summary, r.sqlstate, r.message
from strata.run r
left join lateral (
    select x.version, x.number, x.steps, x.summary from strata.run_step x where x.run = r.id order by x.started_at desc limit 1
) s on true
where r.pack = $1::text
  and (r.state in ('queued', 'running', 'waiting')
       or r.state in ('failed', 'cancelled')
          and exists (select from strata.migration m where m.pack = r.pack and m.state in ('applying', 'reverting')))
order by r.requested_at desc
limit 1
