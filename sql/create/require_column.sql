-- require_column: refuses a column that cannot play its role in a source: key is uuid, an integer or text, uuid is a uuid,
-- text is text, time is a date or a timestamp, hidden is one of these or a boolean, words is a tsvector, any is anything.
-- A null name is no column, and passes. Raises 42703 (absent), 42804 (type).
create function strata.require_column(relation regclass, column_name text, role text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    type_name text;
    base      oid;
    category  "char";
begin
    select format_type(a.atttypid, a.atttypmod), coalesce(nullif(t.typbasetype, 0), t.oid), t.typcategory
    into type_name, base, category
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = relation and a.attname = column_name and a.attnum > 0 and not a.attisdropped;
    if column_name is null then
        return;
    elsif type_name is null then
        raise exception 'column "%" of relation % does not exist', column_name, relation using errcode = '42703';
    elsif role = 'key' and base not in ('uuid'::regtype, 'bigint'::regtype, 'int'::regtype, 'smallint'::regtype,
                                        'text'::regtype, 'varchar'::regtype)
          or role = 'uuid' and base <> 'uuid'::regtype
          or role = 'text' and category <> 'S'
          or role = 'words' and base <> 'tsvector'::regtype
          or role = 'time' and base not in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
          or role = 'hidden' and base not in ('bool'::regtype, 'timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then
        raise exception 'column "%" of relation % must be of type %, not %', column_name, relation,
                        case role when 'key' then 'uuid, bigint or text' when 'time' then 'timestamptz'
                                  when 'hidden' then 'boolean or timestamptz' when 'words' then 'tsvector' else role end, type_name
            using errcode = '42804';
    end if;
end
$$;
revoke execute on function strata.require_column from public;
