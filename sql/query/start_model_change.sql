-- start_model_change: embeds the sources of a model with another one as well.
-- $1 text from   $2 text to   $3 jsonb vector columns by entity type   $4 text store   $5 int8 budget in tokens, or null
-- rows: sources text
select strata.start_model_change($1::text, $2::text, $3::jsonb, $4::text, $5::int8)::text
