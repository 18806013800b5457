-- complete_jobs: hands vectors back.
-- $1 text[] entity types   $2 uuid[] ids   $3 int8[] fences   $4 bytea[] content hashes   $5 vector[] embeddings
-- $6 text the model of all of them   $7 int4[] which part of its text each is of, or null
-- rows: stored int4, stale int4
select c.stored, c.stale from strata.complete_jobs($1, $2, $3, $4, $5, $6::text, $7) c
