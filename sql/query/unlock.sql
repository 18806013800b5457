-- unlock: gives the lock of a pack back.
-- $1 text pack
select pg_advisory_unlock(hashtextextended('strata/' || $1::text, 0::int8))::text
