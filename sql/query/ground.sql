-- ground: what a connection leads to, before anything is changed. Sent without parameters, so that a pooler has no prepared
-- statement to lose.
-- rows: process text, standby text ('t' or 'f'), read-only text ('on' or 'off'), primary text or null
select pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only'),
       (select r.sender_host || ':' || r.sender_port::text from pg_catalog.pg_stat_wal_receiver r)
