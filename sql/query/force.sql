-- force: says where a pack stands.
-- $1 text pack   $2 int8 version   $3 text reason
-- rows: versions moved text
select strata.force_version($1::text, $2::int8, $3::text)::text
