-- session_state: a session of this database.
-- $1 int8 pid
-- rows: who text, idle_in_transaction text ('true' or 'false'); none: there is no such session
select strata.session_text(a.pid), coalesce(a.state like 'idle in transaction%', false)::text
from pg_catalog.pg_stat_activity a
where a.pid = $1::int8 and a.datname = current_database() and a.pid <> pg_backend_pid()
