-- end_hung: ends executors that are there and do nothing.
-- $1 text the lease, an interval
-- rows: run text
select strata.end_hung_executors($1::text::interval)::text
