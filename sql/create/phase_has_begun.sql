-- phase_has_begun: whether a phase was entered: a version of it was begun, or its gate was met and it has none.
create function strata.phase_has_begun(pack text, phase int) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (select from strata.migration m where m.pack = $1 and m.phase = $2 and m.state <> 'pending')
           or exists (select from strata.phase_passed p where p.pack = $1 and p.phase = $2)
$$;
revoke execute on function strata.phase_has_begun(text, int) from public;
