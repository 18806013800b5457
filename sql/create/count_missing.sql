-- count_missing: how many rows of a source have text and no vector, and how many of these have no job either. Null where
-- its table or a column is gone, and where its embeddings are the application's to write. Reads the whole table. Raises 42704 (no such source).
create function strata.count_missing(entity_type text, out missing bigint, out unqueued bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
begin
    select * into s from strata.source x where x.entity_type = count_missing.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source';
    end if;
    if not s.queued then
        return;
    end if;
    execute format('select count(*), count(*) filter (where not exists (
                        select from strata.job j where j.entity_type = $1 and j.entity_id = %5$s and j.model = $2))
                    from %1$I.%2$I r where %3$s and %4$s <> ''''', s.relation_schema, s.relation_name,
                   strata.vectorless(s, 'r'), strata.text_expression(s.title_column, s.content_columns, 'r'), strata.id_of(s, 'r'))
        into missing, unqueued using s.entity_type, s.model;
exception when undefined_table or undefined_column or invalid_schema_name then
    missing := null;
    unqueued := null;
end
$$;
revoke execute on function strata.count_missing from public;
