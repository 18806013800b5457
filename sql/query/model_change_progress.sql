-- model_change_progress: how far a change is, for each source and tenant. Reads the tables.
-- $1 text the new model
-- rows: entity_type, tenant, rows, embedded; all text
select p.entity_type, p.tenant::text, p.rows::text, p.embedded::text from strata.model_change_progress($1::text) p
