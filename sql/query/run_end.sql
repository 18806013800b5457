-- run_end: how a run ended, or what it waits for.
-- $1 text run   $2 int8 attempt   $3 text state
update strata.run r
set state = $3::text,
    finished_at = case when $3::text not in ('waiting', 'queued') then clock_timestamp() end
where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
returning r.id::text
