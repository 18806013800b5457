-- dry_run_closed: what a dry run has found.
-- $1 text dry run   $2 text state   $3 text sqlstate or null   $4 text message or null   $5 jsonb report
update strata.dry_run d
set state = $2::text, sqlstate = $3::text, message = $4::text, report = $5::jsonb, finished_at = clock_timestamp()
where d.id = $1::text::uuid and d.state = 'running'
