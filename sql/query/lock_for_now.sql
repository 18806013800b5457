-- lock_for_now: one try at the lock of a pack, to the end of this transaction. A worker that is started in it waits for
-- that end too.
-- $1 text pack
-- rows: got text ('true' or 'false')
select pg_try_advisory_xact_lock(hashtextextended('strata/' || $1::text, 0::int8))::text
