-- lock_timeout: how long the session waits for a lock from now on.
-- $1 text lock_timeout
select set_config('lock_timeout', $1::text, false)
