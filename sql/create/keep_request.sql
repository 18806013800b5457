-- keep_request: an operator's command line says anew how many versions it wants, and no more. What strata.start_run was asked
-- for stays: an executor of a stronger role may take it up. Raises 42501.
create function strata.keep_request() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    books pg_catalog.regrole := (select relowner from pg_class where oid = tg_relid);
begin
    if pg_has_role(books, 'usage') or not (old.request ? 'direction')
        and new.request - array['count', 'target', 'to_phase', 'since'] = '{}' then
        return new;
    end if;
    raise exception 'what run % was asked for is not to be rewritten', old.id using errcode = 'insufficient_privilege';
end
$$;
revoke execute on function strata.keep_request() from public;
create trigger keep_request before update of request on strata.run
    for each row when (old.request is distinct from new.request) execute function strata.keep_request();
