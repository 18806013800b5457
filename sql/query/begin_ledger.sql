-- begin_ledger: makes the table of another tool that a pack is to be kept in step with. The pack is registered.
-- $1 text pack   $2 text name
-- rows: done text
select strata.begin_ledger($1::text, $2::text)::text
