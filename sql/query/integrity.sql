-- integrity: what the catalog and the state say of each other.
-- $1 text pack, or null: of every pack
-- rows: check_name, expected, actual, ok; all text
select i.check_name, i.expected, i.actual, i.ok::text from strata.integrity($1::text) i
