-- search: one tenant's rows nearest to an embedding, and to a text, whatever their keys are.
-- $1 vector embedding   $2 text tenant or null   $3 int4 rows at most   $4 int4 days or null   $5 text[] entity types or null
-- $6 float8 least similarity or null   $7 jsonb metadata filter or null   $8 jsonb source weights or null
-- $9 float8 diversity or null   $10 text or null   $11 float8 its share, or null: the default
-- $12 text the model that made the embedding   $13 text organisation or null
-- rows: entity_type, entity_id text, title, content, similarity float8, created_at text, metadata jsonb
select r.entity_type, r.entity_id, r.title, r.content, r.similarity,
       to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at, r.metadata
from strata.search($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) r
