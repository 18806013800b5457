-- open_gate: the gate that a run of a pack waits at, and what keeps it shut: that of the first phase that is not whole.
create function strata.open_gate(pack text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select format('the gate of phase %s (%s): %s', s.phase, s.name, s.missing)
    from strata.phase_status($1) s
    where s.gate = 'open'
    order by s.phase
    limit 1
$$;
revoke execute on function strata.open_gate(text) from public;
