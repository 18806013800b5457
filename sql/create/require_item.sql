-- require_item: an item of a checklist that people sign. Raises 42704 (no such item), 22023 (it is measured).
create function strata.require_item(
    pack text, item text, out phase int, out kind text, out statement text, out checksum text
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    select x.phase, x.kind, x.statement, x.checksum into phase, kind, statement, checksum
    from strata.checklist_items(pack) x where x.item = require_item.item;
    if kind is null then
        raise exception 'pack "%" has no item "%"', pack, coalesce(item, 'null')
            using errcode = '42704',
                  hint = coalesce((select 'its items are ' || string_agg(x.item, ', ') from strata.checklist_items(pack) x
                                   where x.kind in ('sign-off', 'backup')), 'nothing of it is signed');
    elsif kind not in ('sign-off', 'backup') then
        raise exception 'item % is measured, not signed', item
            using errcode = '22023', hint = format('select * from strata.checklist(%L) shows how it stands', pack);
    end if;
end
$$;
revoke execute on function strata.require_item(text, text) from public;
