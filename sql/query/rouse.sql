-- rouse: this worker rests no longer.
select strata.rouse_worker()
