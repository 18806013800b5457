-- signature: who has signed which item of a checklist, or taken that back, for ever. `checksum` is of what was signed: the
-- statement, and the files of the phase as they were.
create table strata.signature (
    id         bigint      generated always as identity primary key,
    pack       text        not null,
    item       text        not null,
    action     text        not null check (action in ('signed', 'withdrawn')),
    statement  text        not null,
    reason     text        not null check (trim(reason) <> ''),
    evidence   jsonb       not null default '{}',
    checksum   text        not null,
    at         timestamptz not null default clock_timestamp(),
    signer     text        not null default strata.signer()
);
create index signature_pack_item on strata.signature (pack, item, id);

create function strata.signature_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'strata.signature is append-only: % refused', lower(tg_op)
        using errcode = '55000', hint = 'strata.withdraw_sign_off takes a sign-off back';
end
$$;
create trigger signature_is_append_only before update or delete or truncate on strata.signature
    for each statement execute function strata.signature_is_append_only();
