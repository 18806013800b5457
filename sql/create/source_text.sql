-- source_text: the texts of some rows of a source, as they are embedded. A row that is gone is absent; a row without
-- text has ''. lane: a hash of the row's tenant. Rows whose keys
-- are no uuids are found by their jobs. Raises 42704 (no such source), 42P01 or 42703 (its table or a column is gone).
create function strata.source_text(entity_type text, ids uuid[]) returns table (id uuid, content text, lane int)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
begin
    select * into s from strata.source x where x.entity_type = source_text.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    end if;
    return query execute format(
        'select %1$s, %2$s, hashtext(r.%5$I::text) from %3$I.%4$I r where %6$s',
        strata.id_of(s, 'r'), strata.text_expression(s.title_column, s.content_columns, 'r'), s.relation_schema, s.relation_name, s.tenant_column,
        strata.is_any_of(s, 'r', '$1'))
        using ids;
end
$$;
revoke execute on function strata.source_text from public;
