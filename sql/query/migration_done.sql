-- migration_done: marks a version and its last step, in the same transaction as what the step did.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number
select strata.finish_step($1::text::uuid, $2::int8::int, $3::int8, $4::int8::int, true)::text
