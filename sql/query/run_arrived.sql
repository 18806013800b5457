-- run_arrived: a worker is there for a request. From now on the run can be cancelled through it.
-- $1 text run
-- rows: pack text, request text; none when nobody waits for it any more
update strata.run r
set executor_pid = a.pid, executor_started = a.backend_start, heartbeat_at = clock_timestamp()
from pg_catalog.pg_stat_activity a
where r.id = $1::text::uuid and r.state = 'queued' and a.pid = pg_backend_pid()
returning r.pack, r.request::text
