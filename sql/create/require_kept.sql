-- require_kept: the copy of columns, or of a table where there are none, unless it cannot come back. Nulls where nothing
-- was taken and all is there. Raises 42704 (nothing is kept of what is gone), 55000 (the copy was cleaned up).
create function strata.require_kept(relation text, columns text[]) returns strata.kept
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    k       strata.kept := strata.kept_of(relation, columns);
    what    text := coalesce('columns ' || columns::text || ' of ', '') || relation;
    missing boolean := to_regclass(relation) is null or exists (
        select from unnest(columns) c(name)
        where not exists (select from pg_attribute a where a.attrelid = to_regclass(relation) and a.attname = c.name));
begin
    if k.state = 'finalized' then
        raise exception 'the copy of % was removed by % at %', what, k.ended_by, k.ended_at
            using errcode = '55000', hint = 'restore a backup from before; strata.kept has what was removed';
    elsif k.id is null and missing then
        raise exception 'nothing is kept of %', what
            using errcode = '42704', hint = 'look into strata.kept';
    end if;
    return k;
end
$$;
revoke execute on function strata.require_kept(text, text[]) from public;
