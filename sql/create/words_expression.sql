-- words_expression: the SQL expression for the words of a row: its tsvector column, or those of the title, which count
-- twice, and of the content columns, the first 100,000 characters of each. `alias` is the row's; null: the bare columns,
-- as an index names them. Null where the source has no text search configuration. An index serves this same expression
-- alone, so search writes it word for word.
create function strata.words_expression(s strata.source, alias text default null) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when s.text_search_column is not null then format('%s%I', coalesce(alias || '.', ''), s.text_search_column)
                else string_agg(
                    format(case when u.n = 0 then 'pg_catalog.setweight(%s, ''A'')' else '%s' end,
                           format('pg_catalog.to_tsvector(%L::pg_catalog.regconfig, pg_catalog.left(coalesce(%s%I::pg_catalog.text, ''''), 100000))',
                                  s.text_search_config, coalesce(alias || '.', ''), u.name)),
                    ' operator(pg_catalog.||) ' order by u.n) end
    from (select 0, s.title_column union all
          select c.n, c.name from unnest(s.content_columns) with ordinality c(name, n)) u(n, name)
    where u.name is not null and s.text_search_config is not null
$$;
