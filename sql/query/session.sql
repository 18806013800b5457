-- session: what each step finds in its session before the settings of its file. Timeouts that a role or a database has
-- for its application are not for migrations. A server looks every five seconds whether the client of a statement is still
-- there, so that the lock of a pack does not outlive its executor by more. Asked of the function and not of the view
-- pg_stat_activity, whose plan alone took half as long as a small migration.
-- $1 text run   $2 text lock_timeout
select set_config('strata.run', $1::text, false), set_config('lock_timeout', $2::text, false),
       set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('idle_session_timeout', '0', false),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', false) end,
       case when a.backend_type = 'client backend' and version() !~* 'windows|mingw|visual c'
            then set_config('client_connection_check_interval', '5s', false) end
from pg_catalog.pg_stat_get_activity(pg_backend_pid()) a
