-- dry_run_limits: how long a statement of a dry run may take and wait, whatever the files set, until the end of its
-- transaction; and how soon the server ends it where its client has gone or does nothing any more.
-- $1 text statement_timeout   $2 text lock_timeout   $3 text idle_in_transaction_session_timeout
-- $4 text 'on' where strata's procedures must not commit, else empty: then they fail as they would in a transaction of a run
-- rows: kind text ('now'), the server's clock in milliseconds
select 'now', (extract(epoch from clock_timestamp()) * 1000::numeric)::bigint::text,
       set_config('statement_timeout', $1::text, true), set_config('lock_timeout', $2::text, true),
       set_config('idle_in_transaction_session_timeout', $3::text, true),
       set_config('strata.dry_run', $4::text, true), set_config('application_name', 'strata dry run', true),
       (select set_config('client_connection_check_interval', '250ms', true)
        from pg_catalog.pg_stat_activity a
        where a.pid = pg_backend_pid() and a.backend_type = 'client backend' and pg_catalog.version() !~* 'windows|mingw|visual c')
