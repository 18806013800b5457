-- require_key: refuses a table that cannot be a source and a key that does not name one row of it. A temporary table is
-- gone when others look for it; the triggers of a child table do not see what is written through its parent, nor the
-- parent's what is written to the child, but where both are partitioned. Raises 42809 (not such a table), 42703 and 42804
-- (no such uuid column), 42P10 (no unique index on the column alone).
create function strata.require_key(relation regclass, key_column text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from pg_class c where c.oid = relation and c.relkind in ('r', 'p')) then
        raise exception '% is not a table', relation using errcode = '42809', hint = 'register the table behind it';
    elsif (select c.relpersistence = 't' from pg_class c where c.oid = relation) then
        raise exception '% is a temporary table', relation
            using errcode = '42809', hint = 'register a table that other sessions see and that stays';
    elsif exists (select from pg_inherits i where i.inhrelid = relation) then
        raise exception '% is a part of %', relation,
                        (select i.inhparent::regclass from pg_inherits i where i.inhrelid = relation order by i.inhseqno limit 1)
            using errcode = '42809', hint = 'register the whole table';
    elsif exists (select from pg_inherits i join pg_class c on c.oid = i.inhparent
                  where i.inhparent = relation and c.relkind = 'r') then
        raise exception '% has tables that inherit from it', relation
            using errcode = '42809', hint = 'partition the table instead, or register a table without children';
    end if;
    perform strata.require_column(relation, key_column, 'key');
    if not exists (
        select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = relation and a.attname = key_column
          and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null
    ) then
        raise exception 'column "%" of relation % is not unique', key_column, relation
            using errcode = '42P10', hint = 'make it the primary key, or put a unique index on it alone';
    elsif not (select a.attnotnull from pg_attribute a where a.attrelid = relation and a.attname = key_column) then
        raise exception 'column "%" of relation % can be null', key_column, relation
            using errcode = '42P10', hint = 'make it not null: a row without a key cannot be named';
    end if;
end
$$;
revoke execute on function strata.require_key from public;

-- key_type: what a key is: uuid, bigint (int, smallint) or text (varchar).
create function strata.key_type(relation regclass, key_column text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select case coalesce(nullif(t.typbasetype, 0), t.oid)
               when 'uuid'::regtype then 'uuid' when 'text'::regtype then 'text' when 'varchar'::regtype then 'text'
               else 'bigint' end
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = relation and a.attname = key_column
$$;
revoke execute on function strata.key_type from public;
