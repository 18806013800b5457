-- terminate_session: ends a session. Raises 42501.
-- $1 int8 pid
-- rows: found text ('true' or 'false')
select pg_terminate_backend($1::int8::int)::text
