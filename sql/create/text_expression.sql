-- text_expression: the SQL expression for the text of a row that is embedded: title and content columns, each on a line
-- of its own, nulls and empty texts left out. Empty where a row has no text. `alias` is the row's.
create function strata.text_expression(title_column text, content_columns text[], alias text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('pg_catalog.concat_ws(E''\n'', %s)',
                  string_agg(format('nullif(%I.%I::text, '''')', alias, u.name), ', ' order by u.position))
    from unnest(array_prepend(title_column, content_columns)) with ordinality u(name, position)
    where u.name is not null
$$;
