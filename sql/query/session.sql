-- session: what each step finds in its session before the settings of its file. Timeouts that a role or a database has
-- for its application are not for migrations. A server looks every five seconds whether the client of a statement is still
-- there, so that the lock of a pack does not outlive its executor by more; a worker has no client, and nobody looks. It reads
-- no table and no view: a plan of pg_stat_activity took half as long as a small migration.
-- $1 text run   $2 text lock_timeout
select set_config('strata.run', $1::text, false), set_config('lock_timeout', $2::text, false),
       set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('idle_session_timeout', '0', false),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', false) end,
       case when version() !~* 'windows|mingw|visual c'
            then set_config('client_connection_check_interval', '5s', false) end
