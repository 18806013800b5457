-- session: what each step finds in its session before the settings of its file. Timeouts that a role or a database has
-- for its application are not for migrations.
-- $1 text run   $2 text lock_timeout
select set_config('strata.run', $1::text, false), set_config('lock_timeout', $2::text, false),
       set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('idle_session_timeout', '0', false),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', false) end
