-- add_model: makes an embedding model known.
-- $1 text name   $2 text provider   $3 int8 dimensions   $4 int8 tokens that it reads of one text, or null
select strata.add_model($1::text, $2::text, $3::int8::int, $4::int8::int)::text
