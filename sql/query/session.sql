-- session: what each step finds in its session before the settings of its file.
-- $1 text run   $2 text lock_timeout
select set_config('strata.run', $1::text, false), set_config('lock_timeout', $2::text, false)
