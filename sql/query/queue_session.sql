-- queue_session: what a worker's session is like. Timeouts that a role or a database has for its application are not for it: one
-- that ends a batch of vectors as they are stored has the provider asked for them again, for ever.
select set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('idle_session_timeout', '0', false),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', false) end
