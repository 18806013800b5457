-- run_closed: how a request ended that could not be claimed, as there was nothing to do or it was refused; or one that was
-- claimed, could not say how it ended, and whose executor is gone. One that was claimed and is queued was asked for again.
-- $1 text run   $2 text state   $3 text sqlstate or null   $4 text message or null   $5 bool it was claimed
update strata.run r
set state = $2::text, finished_at = clock_timestamp(), sqlstate = $3::text, message = $4::text
where r.id = $1::text::uuid
  and (r.state = 'queued' and not $5::bool or r.state = 'running' and not strata.run_is_alive(r.id))
