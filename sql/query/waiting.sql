-- waiting: how many jobs could be claimed now.
-- rows: jobs text
select count(*)::text from strata.job j where j.state = 'queued' and j.not_before <= clock_timestamp()
