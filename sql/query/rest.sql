-- rest: this worker has nothing to do, and is to be woken by "strata_jobs".
-- rows: rests bool (false: look again soon)
select strata.rest_worker()
