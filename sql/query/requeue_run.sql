-- requeue_run: a run that did not end, ready to be taken up again.
-- $1 text run   $2 jsonb request
update strata.run r
set state = 'queued', request = $2::jsonb, finished_at = null, sqlstate = null, message = null, executor_pid = null,
    executor_started = null, heartbeat_at = clock_timestamp(), cancel_asked_at = null, cancel_asked_by = null
where r.id = $1::text::uuid
