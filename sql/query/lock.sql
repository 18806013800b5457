-- lock: one try at the lock of a pack. Polled, never waited for: a waiter's snapshot would deadlock with
-- CREATE INDEX CONCURRENTLY of the holder.
-- $1 text pack
-- rows: got text ('true' or 'false')
select pg_try_advisory_lock(hashtextextended('strata/' || $1::text, 0::int8))::text
