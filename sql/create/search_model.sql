-- search_model: the models that the sources are searched by, as far as the caller may read the registry: whoever searches for
-- a text needs a vector of the one that there should be. entity_types: of these sources; null: of all. Raises 42704 (no such
-- source), 22004 and 22023 (a null among them, none), as search does.
create function strata.search_model(entity_types text[] default null) returns table (model text, provider text, dimensions int)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    unknown text;
begin
    if cardinality(entity_types) = 0 then
        raise exception 'entity_types must not be empty' using errcode = '22023', hint = 'pass null for all of them';
    elsif exists (select from unnest(entity_types) t(name) where t.name is null) then
        raise exception 'entity_types must not contain null' using errcode = '22004';
    end if;
    select t.name into unknown from unnest(entity_types) t(name)
    where not exists (select from strata.source s where s.entity_type = t.name) limit 1;
    if found then
        raise exception 'entity_types: entity type "%" is not a source', unknown using errcode = '42704',
            hint = 'sources: ' || (select coalesce(string_agg(s.entity_type, ', ' order by s.entity_type), 'none') from strata.source s);
    end if;
    return query
    select m.name, m.provider, m.dimensions
    from strata.model m
    where exists (select from strata.source s
                  where s.model = m.name and (entity_types is null or s.entity_type = any (entity_types)))
    order by m.name;
end
$$;
revoke execute on function strata.search_model(text[]) from public;

-- embedded_models: the models that rows are embedded with: those that sources are searched by, and those beside them while a
-- model is changed.
create function strata.embedded_models() returns table (model text, provider text, dimensions int)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select m.name, m.provider, m.dimensions
    from strata.model m
    where exists (select from strata.source s where s.model = m.name and s.queued)
       or exists (select from strata.source_beside b where b.model = m.name)
    order by m.name
$$;
revoke execute on function strata.embedded_models() from public;
