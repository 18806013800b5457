-- signature_state: whether an item is signed, for the files as they are now; and `finalize`, for the copies that there are now:
-- a contract that was taken back and made again keeps other ones.
create function strata.signature_state(
    pack text, item text, statement text, checksum text,
    out state text, out detail text, out signed_by text, out signed_at timestamptz
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s strata.signature;
begin
    select * into s from strata.signature x
    where x.pack = signature_state.pack and x.item = signature_state.item
    order by x.id desc limit 1;
    state := 'open';
    if s.id is null then
        detail := format('%s is not signed: %s', item, statement);
    elsif s.action = 'withdrawn' then
        detail := format('the sign-off of %s was withdrawn by %s: %s', item, s.signer, s.reason);
    elsif s.checksum <> signature_state.checksum then
        detail := format('the sign-off of %s by %s is for other files than these: %s', item, s.signer, statement);
    elsif item = 'finalize' and exists (
        select from strata.kept k where k.pack = signature_state.pack and k.state = 'kept' and k.kept_at > s.at
    ) then
        detail := format('the sign-off of %s by %s is older than a copy that is kept: %s', item, s.signer, statement);
    else
        state := 'signed';
        detail := s.reason;
        signed_by := s.signer;
        signed_at := s.at;
    end if;
end
$$;
revoke execute on function strata.signature_state(text, text, text, text) from public;
