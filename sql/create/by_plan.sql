-- by_plan: what `execute` does, with a plan that the session keeps for the role: of a statement, and of what its $1, $2 ... stand
-- for. Answers how many rows it touched. Planned once, by indexes: its tables may grow meanwhile. Like `execute` it has the rights
-- and the search_path of whoever calls: what it writes to may have triggers.
create function strata.by_plan(statement text, variadic given "any") returns bigint
language c volatile as 'MODULE_PATHNAME', 'strata_by_plan';
revoke execute on function strata.by_plan(text, "any") from public;

-- places_by_plan: the same of a statement that answers with one array of places.
create function strata.places_by_plan(statement text, variadic given "any") returns tid[]
language c volatile as 'MODULE_PATHNAME', 'strata_places_by_plan';
revoke execute on function strata.places_by_plan(text, "any") from public;

-- insert_in_bulk: inserts the rows of a query, planned as above, into a table of their form, as COPY does: many at once. Answers how
-- many it inserted; null, where more than indexes and constraints has a say (a trigger, row level security, partitions) or
-- the caller may not: then nothing has been done, and INSERT is the way. Raises 42804 (another form).
create function strata.insert_in_bulk("table" regclass, query text, variadic given "any") returns bigint
language c volatile as 'MODULE_PATHNAME', 'strata_insert_in_bulk';
revoke execute on function strata.insert_in_bulk(regclass, text, "any") from public;
