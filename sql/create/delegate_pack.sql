-- delegate_pack: from now on runs of this pack that `caller` asks for, and its verifications, are executed as the current
-- role, with the files as they are: what somebody else pushes afterwards is refused until it is delegated anew.
-- Raises 42704 (pack; role, by regrole).
create function strata.delegate_pack(pack text, caller regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform strata.require_pack(pack);
    insert into strata.delegation as d (pack, caller)
    select delegate_pack.pack, r.rolname from pg_roles r where r.oid = delegate_pack.caller
    on conflict on constraint delegation_pkey
    do update set runs_as = excluded.runs_as, delegated_at = excluded.delegated_at;
end
$$;
revoke execute on function strata.delegate_pack(text, regrole) from public;

-- withdraw_delegation: takes it back. False: there was none.
create function strata.withdraw_delegation(pack text, caller regrole) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    delete from strata.delegation d using pg_roles r
    where d.pack = withdraw_delegation.pack and r.oid = withdraw_delegation.caller and d.caller = r.rolname;
    return found;
end
$$;
revoke execute on function strata.withdraw_delegation(text, regrole) from public;
