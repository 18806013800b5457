-- tell: an event of a run.
-- $1 text run   $2 int8 attempt   $3 text kind   $4 text text
insert into strata.run_event (run, attempt, kind, text) values ($1::text::uuid, $2::int8::int, $3::text, $4::text)
