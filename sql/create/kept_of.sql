-- kept_of: the newest copy of these columns, or of the table where there are none; nulls where nothing was ever kept.
create function strata.kept_of(relation text, columns text[]) returns strata.kept
language sql stable set search_path = pg_catalog, pg_temp as $$
    select k from strata.kept k
    where k.relation = $1 and k.columns is not distinct from $2
    order by k.id desc limit 1
$$;
revoke execute on function strata.kept_of(text, text[]) from public;
