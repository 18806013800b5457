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
