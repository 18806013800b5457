-- run_closed: how a request ended that could not be claimed: there was nothing to do, or it was refused. It is queued, or
-- it was claimed once and that executor is gone.
-- $1 text run   $2 text state   $3 text sqlstate or null   $4 text message or null
update strata.run r
set state = $2::text, finished_at = clock_timestamp(), sqlstate = $3::text, message = $4::text
where r.id = $1::text::uuid and (r.state = 'queued' or r.state = 'running' and not strata.run_is_alive(r.id))
