-- require_retirable: refuses columns whose values could not be brought back, or that search still reads.
create function strata.require_retirable(relation text, columns text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    rel  regclass := to_regclass(relation);
    name text;
begin
    if rel is null then
        raise exception 'relation "%" does not exist', relation using errcode = '42P01';
    elsif coalesce(cardinality(columns), 0) = 0 then
        raise exception 'no column of % is named', relation using errcode = '22023', hint = 'name the columns to retire';
    end if;
    foreach name in array columns loop
        if not exists (select from pg_attribute a where a.attrelid = rel and a.attname = name and a.attnum > 0) then
            raise exception 'column "%" of relation % does not exist', name, relation using errcode = '42703';
        elsif exists (select from pg_attribute a left join pg_index x on x.indrelid = rel and x.indisprimary
                      where a.attrelid = rel and a.attname = name
                        and (a.attidentity <> '' or a.attgenerated <> '' or a.attnum = any (x.indkey))) then
            raise exception 'column "%" of relation % is a key, an identity or generated, and cannot be retired', name, relation
                using errcode = '0A000', hint = 'drop it in a version that pack.toml lists in may_drop';
        end if;
    end loop;
    if not exists (select from pg_index x where x.indrelid = rel and x.indisprimary) then
        raise exception 'relation % has no primary key by which its values could come back', relation
            using errcode = '55000', hint = 'add a primary key first';
    end if;
    select s.entity_type into name from strata.source s
    where format('%I.%I', s.relation_schema, s.relation_name) = require_retirable.relation
      and columns && (s.content_columns || s.metadata_columns
                      || array[s.key_column, s.tenant_column, s.title_column, s.created_at_column, s.vector_column,
                               s.model_column, s.embedded_at_column, s.hidden_column]);
    if name is not null then
        raise exception 'source "%" reads a column of % that is to be retired', name, relation
            using errcode = '55000', hint = format('select strata.drop_source(%L) first', name);
    end if;
end
$$;
revoke execute on function strata.require_retirable(text, text[]) from public;
