-- dry_run_arrived: a worker is there for a dry run.
-- $1 text dry run
-- rows: pack text, request text; none when nobody waits for it any more
update strata.dry_run d
set state = 'running', executor_pid = a.pid, executor_started = a.backend_start
from pg_catalog.pg_stat_activity a
where d.id = $1::text::uuid and d.state = 'queued' and a.pid = pg_backend_pid()
returning d.pack, d.request::text
