-- phase_status: every phase of a pack, those without migrations too: how many of its versions are applied, and its gate:
-- none, passed, met or open; `missing` says what keeps it shut. Raises 42704 (pack).
create function strata.phase_status(pack text)
returns table (phase int, name text, days text, versions int, applied int, gate text, missing text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform strata.require_pack(phase_status.pack);
    return query
    select f.number, f.phase ->> 'name', f.phase ->> 'days', v.versions, v.applied,
           case when g.items is null then 'none' when strata.phase_has_begun(phase_status.pack, f.number) then 'passed'
                when g.missing is null then 'met' else 'open' end,
           case when not strata.phase_has_begun(phase_status.pack, f.number) then g.missing end
    from (
        select (e.phase ->> 'number')::int as number, e.phase
        from strata.pack p, jsonb_array_elements(p.manifest -> 'phases') e(phase)
        where p.name = phase_status.pack
    ) f
    cross join lateral (
        select count(*)::int as versions, (count(*) filter (where m.state = 'applied'))::int as applied
        from strata.migration m where m.pack = phase_status.pack and m.phase = f.number
    ) v
    left join (
        select c.phase, count(*) as items, string_agg(c.detail, '; ') filter (where c.state = 'open') as missing
        from strata.checklist(phase_status.pack) c group by c.phase
    ) g on g.phase = f.number
    order by f.number;
end
$$;
revoke execute on function strata.phase_status(text) from public;
