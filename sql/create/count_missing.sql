-- count_missing: how many rows of a source have text and no vector. Null where its table or a column is gone.
-- Reads the whole table. Raises 42704 (no such source).
create function strata.count_missing(entity_type text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s       strata.source;
    missing bigint;
begin
    select * into s from strata.source x where x.entity_type = count_missing.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    end if;
    execute format('select count(*) from %I.%I r where r.%I is null and %s <> ''''', s.relation_schema, s.relation_name,
                   s.vector_column, strata.text_expression(s.title_column, s.content_columns, 'r'))
        into missing;
    return missing;
exception when undefined_table or undefined_column or invalid_schema_name then
    return null;
end
$$;
revoke execute on function strata.count_missing from public;
