-- signer: whom a signature names: the session's user, and behind a slash whom an API says that it speaks for, out of the token
-- that it has verified: the subject, else the role; authenticator/service_role. A session may claim there what it likes; who it
-- is itself stands before the slash.
create function strata.signer() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    claims jsonb;
begin
    claims := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    return concat_ws('/', session_user, left(nullif(coalesce(claims ->> 'sub', claims ->> 'role'), ''), 255));
exception when invalid_text_representation then
    return session_user;
end
$$;
revoke execute on function strata.signer() from public;
