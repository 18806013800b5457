-- set_text_search: makes the words of a source searchable, beside its embeddings, under a text search configuration such
-- as 'english'; null: no longer. A tsvector column, where one is named, holds the words; else they are made of title and
-- content. No index is created here: strata.text_index_statement tells how.
-- Raises 42704 (no such source), 22023 (a column without a configuration), 42P01, 42703, 42804 (the column).
create function strata.set_text_search(
    entity_type text, text_search_config regconfig, text_search_column text default null
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
begin
    select * into s from strata.source x where x.entity_type = set_text_search.entity_type;
    if s.entity_type is null then
        raise exception 'source "%" does not exist', entity_type
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    elsif text_search_config is null and text_search_column is not null then
        raise exception 'column "%" needs a text search configuration', text_search_column
            using errcode = '22023', hint = 'name the one that made its words, such as ''english''';
    end if;
    perform strata.require_column(format('%I.%I', s.relation_schema, s.relation_name), text_search_column, 'words');
    update strata.source x
    set text_search_config = (select format('%I.%I', n.nspname, c.cfgname)
                              from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
                              where c.oid = set_text_search.text_search_config),
        text_search_column = set_text_search.text_search_column
    where x.entity_type = set_text_search.entity_type;
end
$$;
revoke execute on function strata.set_text_search from public;
