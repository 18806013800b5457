-- sign_off: signs an item of a checklist.
-- $1 text pack   $2 text item   $3 text reason   $4 jsonb evidence   $5 text files that the caller sees, or null
-- rows: id text
select strata.sign_off($1::text, $2::text, $3::text, $4::jsonb, $5::text)::text
