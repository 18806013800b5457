-- walk_columns: the columns of a key that a table can be walked by, in order, with their types: not null, and together
-- the columns of a unique index in that order. Their values travel as text, so only types of which the text says everything
-- in every session.
-- Raises 42809 (not a table), 22023 (no column named; a type that cannot be walked), 42703 (no such column), 42P10 (the
-- key can be null or is not unique).
create function strata.walk_columns(relation regclass, key text)
returns table (name text, type text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    wanted text[] := array(select btrim(k.name) from unnest(string_to_array(key, ',')) with ordinality k(name, place)
                           order by k.place);
    found  record;
    places int2[] := '{}';
begin
    if not exists (select from pg_class c where c.oid = relation and c.relkind in ('r', 'p')) then
        raise exception '% is not a table', relation using errcode = '42809', hint = 'walk the table behind it';
    elsif cardinality(wanted) = 0 then
        raise exception 'a backfill of % needs a key', relation using errcode = '22023';
    end if;
    for i in 1..cardinality(wanted) loop
        select a.attnum, a.attnotnull, format_type(a.atttypid, a.atttypmod) as type, t.typname, b.typname as base
        into found
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
        where a.attrelid = relation and a.attname = wanted[i] and a.attnum > 0 and not a.attisdropped;
        if found.attnum is null then
            raise exception 'column "%" of relation % does not exist', wanted[i], relation using errcode = '42703';
        elsif not found.attnotnull then
            raise exception 'column "%" of relation % can be null', wanted[i], relation
                using errcode = '42P10', hint = 'make it not null: a row without a key is never reached';
        elsif found.base not in ('int2', 'int4', 'int8', 'numeric', 'oid', 'uuid', 'text', 'varchar', 'bpchar', 'bytea',
                                 'date', 'timestamp', 'timestamptz') then
            raise exception 'column "%" of relation % is of type %, which cannot be walked', wanted[i], relation, found.type
                using errcode = '22023', hint = 'choose a key of numbers, uuids, texts or times';
        end if;
        places := places || found.attnum;
        name := wanted[i];
        type := found.type;
        return next;
    end loop;
    if not exists (
        select from pg_index i
        where i.indrelid = relation and i.indisunique and i.indisvalid and i.indpred is null
          and i.indnkeyatts = cardinality(places)
          and (string_to_array(i.indkey::text, ' ')::int2[])[1:i.indnkeyatts] = places
    ) then
        raise exception 'key (%) of relation % is not unique', array_to_string(wanted, ', '), relation
            using errcode = '42P10', hint = 'name the columns of its primary key or of a unique index, in their order';
    end if;
end
$$;
revoke execute on function strata.walk_columns(regclass, text) from public;
