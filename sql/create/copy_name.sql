-- copy_name: what the copy of columns, or the schema of a retired table, is called: the same every time.
create function strata.copy_name(relation text, columns text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('kept_%s_%s', left(regexp_replace((parse_ident(relation))[2], '[^a-z0-9_]', '', 'g'), 40),
                  left(md5(concat_ws(' ', relation, columns::text)), 8))
$$;
revoke execute on function strata.copy_name(text, text[]) from public;
