-- row_id: what the queue and the stores call a row whose key is no uuid: a uuid made of the key as Postgres writes it. 128 bits
-- of SHA-256, so that nobody finds two keys that are called the same. Who has only this looks the key up beside it.
create function strata.row_id(key text) returns uuid
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
    select encode(substring(sha256(convert_to(key, 'UTF8')) for 16), 'hex')::uuid
$$;

-- row_ids: the same for several, in their order.
create function strata.row_ids(keys text[]) returns uuid[]
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
    select array_agg(strata.row_id(k.key) order by k.n) from unnest(keys) with ordinality k(key, n)
$$;

-- ids_of: what rows of a source with these keys are called; the keys themselves where they are uuids.
create function strata.ids_of(s strata.source, keys text[]) returns uuid[]
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case s.key_type when 'uuid' then keys::uuid[] else strata.row_ids(keys) end
$$;

-- id_of: what a row is called, as an expression of it: its key where that is a uuid. For any search_path, as the next two.
create function strata.id_of(s strata.source, alias text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format(case s.key_type when 'uuid' then '%I.%I' else 'strata.row_id(%I.%I::pg_catalog.text)' end, alias, s.key_column)
$$;

-- key_of: the key of a row as it is kept beside what the row is called, as an expression of it: null where that is the key.
create function strata.key_of(s strata.source, alias text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case s.key_type when 'uuid' then 'null::pg_catalog.text' else format('%I.%I::pg_catalog.text', alias, s.key_column) end
$$;

-- is_any_of: the condition under which a row is one of those that are called so. `ids`: an expression, uuid[]; `keys`: one of
-- their keys, text[], where those are not the ids; null: their jobs tell.
create function strata.is_any_of(s strata.source, alias text, ids text, keys text default null) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('%I.%I operator(pg_catalog.=) any (%s)', alias, s.key_column, case s.key_type
        when 'uuid' then ids
        else format('%s::pg_catalog.%s[]', coalesce(keys, format('strata.keys_of(%L, %s)', s.entity_type, ids)),
                    case s.key_type when 'bigint' then 'int8' else s.key_type end) end)
$$;

-- keys_of: the keys of rows that have jobs.
create function strata.keys_of(entity_type text, ids uuid[]) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return array(select distinct j.entity_key from strata.job j
                 where j.entity_type = keys_of.entity_type and j.entity_id = any (ids) and j.entity_key is not null);
end
$$;
revoke execute on function strata.row_ids, strata.ids_of, strata.id_of, strata.key_of, strata.is_any_of, strata.keys_of from public;
