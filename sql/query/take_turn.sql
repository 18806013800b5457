-- take_turn: asks to call a provider within its limits.
-- $1 text model   $2 int8 tokens
-- rows: wait float8 (seconds; zero: call it now)
select extract(epoch from strata.take_turn($1::text, $2::int8))::float8
