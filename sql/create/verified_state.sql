-- verified_state: whether everything below a phase is applied, and passed its verification when it was last made. A run
-- makes it again before it asks.
create function strata.verified_state(pack text, phase int, out state text, out detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    behind int;
begin
    select 'open', format('version %s (%s) is %s', m.version, m.name, m.state) into state, detail
    from strata.migration m
    where m.pack = verified_state.pack and m.phase < verified_state.phase and m.state <> 'applied'
    order by m.version limit 1;
    if state is null then
        select 'open', format('the verification of version %s (%s) failed: %s', m.version, m.name, h.message)
        into state, detail
        from strata.migration m
        cross join lateral (
            select x.event, x.message from strata.history x
            where x.pack = m.pack and x.version = m.version and x.event <> 'started' and x.direction in ('up', 'verify')
            order by x.id desc limit 1
        ) h
        where m.pack = verified_state.pack and m.phase < verified_state.phase and h.event = 'failed'
        order by m.version limit 1;
    end if;
    if state is null then
        select count(*) into behind from strata.migration m
        where m.pack = verified_state.pack and m.phase < verified_state.phase;
        state := 'met';
        detail := format('%s versions were verified when they were applied or since; a run looks again', behind);
    end if;
end
$$;
revoke execute on function strata.verified_state(text, int) from public;
