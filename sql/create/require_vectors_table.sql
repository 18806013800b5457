-- require_vectors_table: refuses a table of embeddings that cannot be joined to the rows of a source, one embedding each.
-- Null for a source whose embeddings stand in the row; then nothing else may be named. Raises 22004 (no key), 22023 (a column without the table),
-- 42809 (not a table), 42703, 42804 (a column, or the key of another type), 42P10 (a row can have several embeddings).
create function strata.require_vectors_table(
    relation regclass, key_column text, vector_relation regclass, vector_key_column text, vector_type_column text
) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    named text[] := array_remove(array[vector_key_column, vector_type_column], null);
begin
    if vector_relation is null then
        if named <> '{}' then
            raise exception 'column "%" needs a table of embeddings', named[1]
                using errcode = '22023', hint = 'name it as vector_relation';
        end if;
        return;
    elsif vector_key_column is null then
        raise exception 'vector_key_column must not be null'
            using errcode = '22004', hint = format('name the column of %s that holds the key of %s', vector_relation, relation);
    elsif not exists (select from pg_class c where c.oid = vector_relation and c.relkind in ('r', 'p')) then
        raise exception '% is not a table', vector_relation using errcode = '42809', hint = 'register the table behind it';
    end if;
    perform strata.require_column(vector_relation, vector_key_column, 'key');
    perform strata.require_column(vector_relation, vector_type_column, 'text');
    if (select a.atttypid from pg_attribute a where a.attrelid = vector_relation and a.attname = vector_key_column)
       <> (select a.atttypid from pg_attribute a where a.attrelid = relation and a.attname = key_column) then
        raise exception 'column "%" of relation % has another type than column "%" of relation %',
            vector_key_column, vector_relation, key_column, relation using errcode = '42804';
    elsif not exists (
        select from pg_index i
        where i.indrelid = vector_relation and i.indisunique and i.indisvalid and i.indpred is null
          and (select array_agg(a.attname::text order by a.attname) from pg_attribute a
               where a.attrelid = vector_relation and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
              operator(pg_catalog.<@) named
    ) then
        raise exception 'a row of % can have several embeddings in %', relation, vector_relation
            using errcode = '42P10', hint = format('put a unique index on (%s): one embedding for each row', array_to_string(named, ', '));
    end if;
end
$$;
revoke execute on function strata.require_vectors_table from public;
