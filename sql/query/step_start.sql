-- step_start: the intent of a step, committed before it runs; strata.begin_step tells more.
-- $1 text run   $2 int8 attempt   $3 int8 version   $4 int8 number   $5 text kind   $6 text summary   $7 text checksum
-- $8 bool first step of this attempt   $9 int8 steps of the version
-- rows: stop text ('true': the operator has asked the run to stop)
select strata.begin_step($1::text::uuid, $2::int8::int, $3::int8, $4::int8::int, $9::int8::int, $5::text, $6::text, $7::text,
                         $8::bool)::text
