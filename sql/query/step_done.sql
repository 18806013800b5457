-- step_done: the outcome of a step. In a transaction step it is committed together with what the step did.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number
-- rows: one, or none when a newer attempt has taken the run over
update strata.run_step s
set state = 'done', finished_at = clock_timestamp()
from strata.run r
where r.id = $1::text::uuid and r.attempt = $2::int8 and r.state = 'running'
  and s.run = r.id and s.version = $3::int8 and s.number = $4::int8 and s.attempt = r.attempt
returning s.run::text
