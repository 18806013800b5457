-- checklist: one row for each thing that must hold before a phase may start, in the order of the phases; the last row,
-- of a pack with a contract phase, is what must hold before its copies are thrown away. kind: gate, verification, backup,
-- sign-off. state: met, signed, open. What a phase that has begun needed is not looked at again. Raises 42704 (pack).
create function strata.checklist(pack text)
returns table (
    item text, phase int, phase_name text, kind text, state text, detail text, signed_by text, signed_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform strata.require_pack(checklist.pack);
    return query
    select i.item, i.phase, i.phase_name, i.kind, s.state, s.detail, s.signed_by, s.signed_at
    from strata.checklist_items(checklist.pack) i
    cross join lateral strata.item_state(checklist.pack, i.item, strata.phase_has_begun(checklist.pack, i.phase)) s;
end
$$;
revoke execute on function strata.checklist(text) from public;
