-- push: keeps a pack in the database.
-- $1 jsonb as strata.push_pack takes it
-- rows: name text
select strata.push_pack($1::jsonb)
