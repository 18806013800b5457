-- complete_jobs: hands vectors back. Its commit does not wait for the disk: a crash of the server takes vectors and the end of
-- their jobs together, and the jobs are done again.
-- $1 text[] entity types   $2 uuid[] ids   $3 int8[] fences   $4 bytea[] content hashes   $5 vector[] embeddings
-- $6 text the model of all of them   $7 int4[] which part of its text each is of, or null
-- rows: stored int4, stale int4
select c.stored, c.stale from pg_catalog.set_config('synchronous_commit', 'off', true), strata.complete_jobs($1, $2, $3, $4, $5, $6::text, $7) c
