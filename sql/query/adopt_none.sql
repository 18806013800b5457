-- adopt_none: the pack is kept in step with no table from now on, whatever is found.
-- $1 text pack
-- rows: done text
select strata.bind_ledger($1::text, 'none', null, null)::text
