-- sign_off: signs an item of a checklist, as strata.signer, now, for the files as the database knows them. A backup
-- is signed with evidence: an object that says what was restored, such as {"dump": ..., "rows": ...}. `files`: the lines
-- of strata.phase_files that the caller has seen, where it has seen any. Returns the number of the signature.
-- Raises 42704 (pack, item), 22023 (no reason, no evidence, an item that is measured), 55000 (it is signed; the contract has
-- not ended, so that nobody can be sure of what it keeps), ST007 (the caller's files are others).
create function strata.sign_off(pack text, item text, reason text, evidence jsonb default '{}', files text default null)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    i      record;
    before record;
    id     bigint;
begin
    perform strata.require_pack(pack);
    -- Two who sign at once: the second finds it signed.
    perform pg_advisory_xact_lock(hashtextextended('strata/sign/' || pack, 0));
    select * into i from strata.require_item(pack, item);
    if coalesce(trim(reason), '') = '' then
        raise exception 'item % is not signed without a reason', item
            using errcode = '22023', hint = 'say what makes you sure of it: ' || i.statement;
    end if;
    if jsonb_typeof(evidence) is distinct from 'object' or i.kind = 'backup' and evidence = '{}' then
        raise exception 'item % needs evidence: a JSON object that is not empty', item
            using errcode = '22023', hint = 'such as {"dump": "app-2026-01-31.dump", "rows": {"public.tasks": 1200}}';
    end if;
    if files is not null and i.phase is not null and files <> strata.phase_files(pack, i.phase) then
        raise exception 'the files of phase % that you see are not those that the database knows', i.phase
            using errcode = 'ST007', hint = format('run "strata push --pack %s", then sign what is there', pack);
    end if;
    select * into before from strata.signature_state(pack, item, i.statement, i.checksum);
    if before.state = 'signed' then
        raise exception 'item % is signed already, by %', item, before.signed_by
            using errcode = '55000', hint = format('"strata sign-off %s --withdraw" takes it back, or strata.withdraw_sign_off', item);
    end if;
    if item = 'finalize' then
        perform strata.require_contract_ended(pack);
    end if;
    insert into strata.signature as s (pack, item, action, statement, reason, evidence, checksum)
    values (sign_off.pack, sign_off.item, 'signed', i.statement, trim(sign_off.reason), sign_off.evidence, i.checksum)
    returning s.id into id;
    return id;
end
$$;
revoke execute on function strata.sign_off(text, text, text, jsonb, text) from public;
