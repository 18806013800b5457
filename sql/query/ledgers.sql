-- ledgers: the tables of other tools that may be those of a pack, as strata.ledgers tells them.
-- $1 text pack   $2 text the table that was named, or null
-- rows: kind, schema, table, rank, bound ('true' or 'false'), state, version, dirty ('true' or 'false'); all text
select l.kind, l.schema_name, l.table_name, l.rank::text, l.bound::text, l.state, l.version, l.dirty::text
from strata.ledgers($1::text, $2::text) l
