-- eval_insert: documents of a labelled set. $1 uuid[] ids   $2 text[] titles   $3 text[] texts   $4 vector[] embeddings or
-- nulls   $5 text text search configuration. Words as strata.words_expression makes them.
-- With more than one array, unnest is grammar, and needs no schema.
insert into strata_eval.document (id, tenant, title, content, embedding, words)
select d.id, '00000000-0000-0000-0000-000000000001', d.title, d.content, d.embedding,
       pg_catalog.setweight(pg_catalog.to_tsvector($5::text::regconfig, pg_catalog.left(coalesce(d.title, ''), 100000)), 'A')
       || pg_catalog.to_tsvector($5::text::regconfig, pg_catalog.left(d.content, 100000))
from unnest($1::uuid[], $2::text[], $3::text[], $4::vector[]) d(id, title, content, embedding)
