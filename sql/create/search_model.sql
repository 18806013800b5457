-- search_model: the models whose vectors the sources have, as far as the caller may read the registry: whoever searches for
-- a text needs a vector of the one that there should be.
create function strata.search_model() returns table (model text, provider text, dimensions int)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select m.name, m.provider, m.dimensions
    from strata.model m
    where exists (select from strata.source s where s.model = m.name)
    order by m.name
$$;
revoke execute on function strata.search_model() from public;

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
