-- fail_jobs: tells that the provider failed on these jobs, or that nobody has tried them.
-- $1 text[] entity types   $2 uuid[] ids   $3 int8[] fences   $4 text error   $5 float8 seconds to wait at least, or null
-- $6 text kind   $7 text the model of all of them
-- rows: queued int4, dead int4
select f.queued, f.dead from pg_catalog.set_config('synchronous_commit', 'off', true), strata.fail_jobs($1, $2, $3, $4::text, make_interval(secs => $5::float8), $6::text, $7::text) f
