-- steps: how far a run has come.
-- $1 text run
-- rows: version text, number text, checksum text, state text
select s.version::text, s.number::text, s.checksum, s.state
from strata.run_step s
where s.run = $1::text::uuid
order by s.version, s.number
