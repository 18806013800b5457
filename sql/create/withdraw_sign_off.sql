-- withdraw_sign_off: takes a sign-off back, with a reason. What was done on the strength of it stays done. Returns the
-- number of the entry. Raises 42704 (pack, item), 22023 (no reason, an item that is measured), 55000 (it is not signed).
create function strata.withdraw_sign_off(pack text, item text, reason text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    i  record;
    id bigint;
begin
    perform strata.require_pack(pack);
    perform pg_advisory_xact_lock(hashtextextended('strata/sign/' || pack, 0));
    select * into i from strata.require_item(pack, item);
    if coalesce(trim(reason), '') = '' then
        raise exception 'the sign-off of % is not withdrawn without a reason', item
            using errcode = '22023', hint = 'say why: it is kept in strata.signature';
    end if;
    if (strata.signature_state(pack, item, i.statement, i.checksum)).state <> 'signed' then
        raise exception 'item % is not signed', item
            using errcode = '55000', hint = format('select * from strata.checklist(%L)', pack);
    end if;
    insert into strata.signature as s (pack, item, action, statement, reason, checksum)
    values (withdraw_sign_off.pack, withdraw_sign_off.item, 'withdrawn', i.statement, trim(withdraw_sign_off.reason), i.checksum)
    returning s.id into id;
    return id;
end
$$;
revoke execute on function strata.withdraw_sign_off(text, text, text) from public;
