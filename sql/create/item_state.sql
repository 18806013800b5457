-- item_state: how one item of a checklist stands. `begun`: its phase has begun, so that what was measured then is not
-- measured again.
create function strata.item_state(
    pack text, item text, begun boolean,
    out state text, out detail text, out signed_by text, out signed_at timestamptz
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    i record;
begin
    select * into i from strata.checklist_items(pack) x where x.item = item_state.item;
    if i.kind in ('sign-off', 'backup') then
        select * into state, detail, signed_by, signed_at
        from strata.signature_state(pack, item, i.statement, i.checksum);
    elsif begun then
        state := 'met';
        detail := 'the phase has begun';
    elsif i.kind = 'gate' then
        select e.state, e.detail into state, detail from strata.embedded_state() e;
    else
        select v.state, v.detail into state, detail from strata.verified_state(pack, i.phase) v;
    end if;
end
$$;
revoke execute on function strata.item_state(text, text, boolean) from public;
