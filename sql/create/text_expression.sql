-- text_expression: the SQL expression for the text of a row that is embedded: title and content columns, each on a line
-- of its own; nulls and texts of nothing but white space are left out. Empty where a row has no text. `alias` is the row's.
-- Compared as bytes: columns may have collations that differ, or that take different texts for equal.
create function strata.text_expression(title_column text, content_columns text[], alias text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    return (
    select format('pg_catalog.concat_ws(E''\n'', %s) collate "C"',
                  string_agg(format('case when %1$I.%2$I::text collate "C" ~ %3$s then %1$I.%2$I::text collate "C" end', alias, u.name,
                                    'E''[^\\s\\u0085\\u00a0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'''),
                             ', ' order by u.position))
    from unnest(array_prepend(title_column, content_columns)) with ordinality u(name, position)
    where u.name is not null);
end
$$;
