-- enqueue_statement: what strata.enqueue asks of the transition tables: for a trigger event INSERT, UPDATE or DELETE, the
-- query for two arrays of keys, rows that want a job and rows that want none. A row whose key changed is both.
create function strata.enqueue_statement(s strata.source, event text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format(
        case event
        when 'INSERT' then
            'select array_agg(n.%1$I), null::uuid[] from new_rows n where (n.%2$I is null) = (%3$s <> '''')'
        when 'DELETE' then
            'select null::uuid[], array_agg(o.%1$I) from old_rows o'
        else
            'select array_agg(c.id) filter (where c.wanted), array_agg(c.id) filter (where not c.wanted)
             from (select coalesce(n.%1$I, o.%1$I) as id, n.%1$I is not null and (%3$s <> '''' or n.%2$I is not null) as wanted
                   from new_rows n full join old_rows o on o.%1$I = n.%1$I
                   where n.%1$I is null or %3$s <> %4$s or (n.%2$I is null and o.%2$I is not null)) c'
        end,
        s.key_column, s.vector_column, strata.text_expression(s.title_column, s.content_columns, 'n'),
        strata.text_expression(s.title_column, s.content_columns, 'o'))
$$;
