-- start_model_change: from now on every source of from_model is embedded with to_model as well; what is there already is
-- queued by strata.continue_model_change, which workers call. Search goes on under from_model until strata.switch_model.
-- The new vectors are kept in the store of to_model, as `store` (halfvec or vector), or for those sources that
-- vector_columns names, such as {"task": "embedding_1536"}, in that column. budget_tokens: most that may be sent to to_model
-- until the switch; null: no limit. Answers how many sources there are.
-- It holds the sources' tables against writers for a moment, and waits at most a second for each, so that every later
-- change of a text is heard. Raises 22004, 22023 (the same model, a budget below 1, vector_columns), 42704 (no such model, source or
-- source of from_model), 55000 (a model is being changed already; the store is of the other type), 55P03 (somebody writes),
-- 42703, 42804 and 22000 (a column), 42P01 (the table of a source is gone), 0A000 (the application embeds a source).
create function strata.start_model_change(
    from_model text, to_model text, vector_columns jsonb default '{}', store text default 'halfvec', budget_tokens bigint default null
) returns int
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
    s       strata.source;
    sources int := 0;
begin
    perform strata.require_changeable(from_model, to_model, coalesce(vector_columns, '{}'), budget_tokens);
    insert into strata.model_change (from_model, to_model, budget_tokens) values (from_model, to_model, budget_tokens);
    for s in select * from strata.source x where x.model = from_model order by x.entity_type loop
        perform strata.keep_beside(s, to_model, vector_columns ->> s.entity_type, store);
        sources := sources + 1;
    end loop;
    return sources;
end
$$;
revoke execute on function strata.start_model_change from public;

-- require_changeable: refuses a change that cannot be.
create function strata.require_changeable(from_model text, to_model text, vector_columns jsonb, budget_tokens bigint) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    named text := (select min(n.name) from (values (from_model), (to_model)) n(name)
                   where not exists (select from strata.model m where m.name = n.name));
    open  strata.model_change;
begin
    if from_model is null or to_model is null then
        raise exception 'a change needs two models' using errcode = '22004';
    elsif named is not null then
        raise exception 'model "%" does not exist', named using errcode = '42704', hint = 'call strata.add_model first';
    elsif from_model = to_model then
        raise exception 'model "%" cannot be changed for itself', from_model
            using errcode = '22023', hint = 'to embed every row again, run "strata reindex"';
    elsif budget_tokens < 1 then
        raise exception 'budget_tokens must be at least 1, not %', budget_tokens using errcode = '22023', hint = 'null: no limit';
    elsif jsonb_typeof(vector_columns) <> 'object' then
        raise exception 'vector_columns must be an object' using errcode = '22023', hint = 'such as {"task": "embedding_1536"}';
    end if;
    select * into open from strata.model_change c
    where require_changeable.from_model in (c.from_model, c.to_model)
       or require_changeable.to_model in (c.from_model, c.to_model) limit 1;
    if open.to_model is not null then
        raise exception 'model "%" is being changed for "%" already', open.from_model, open.to_model
            using errcode = '55000', hint = format('call strata.end_model_change(%L) first', open.to_model);
    elsif not exists (select from strata.source s where s.model = from_model) then
        raise exception 'no source uses model "%"', from_model using errcode = '42704', hint = 'look into strata.source';
    end if;
    named := (select min(k.name) from jsonb_object_keys(vector_columns) k(name)
              where not exists (select from strata.source s where s.entity_type = k.name and s.model = from_model));
    if named is not null then
        raise exception 'vector_columns: "%" is not a source of model "%"', named, from_model
            using errcode = '42704', hint = 'look into strata.source';
    end if;
end
$$;
revoke execute on function strata.require_changeable from public;

-- keep_beside: one source of a change: its place for the new vectors, and its triggers.
create function strata.keep_beside(s strata.source, to_model text, vector_column text, storage text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    relation regclass := to_regclass(format('%I.%I', s.relation_schema, s.relation_name));
    made     text;
begin
    if relation is null then
        raise exception 'source "%": table %.% does not exist', s.entity_type, s.relation_schema, s.relation_name
            using errcode = '42P01', hint = format('call strata.drop_source(%L)', s.entity_type);
    elsif not s.queued then
        raise exception 'the embeddings of source "%" are the application''s to write', s.entity_type
            using errcode = '0A000', hint = 'strata embeds where the embedding stands in the row or in a store';
    elsif vector_column is null then
        perform strata.require_column(relation, s.tenant_column, 'uuid');
        made := strata.make_store(to_model, storage);
        perform strata.share_store(s, made);
    else
        perform strata.require_vector_column(relation, vector_column, to_model);
    end if;
    execute format('lock table %s in share row exclusive mode', relation);
    insert into strata.source_beside (entity_type, model, vector_column, store)
    values (s.entity_type, to_model, keep_beside.vector_column, made);
    perform strata.write_watcher(s);
    if s.store is null and made is not null then
        perform strata.follow_source(s.entity_type, relation);
    end if;
end
$$;
revoke execute on function strata.keep_beside from public;
