-- cancel_session: cancels the statement of a session. Raises 42501.
-- $1 int8 pid
-- rows: found text ('true' or 'false')
select pg_cancel_backend($1::int8::int)::text
