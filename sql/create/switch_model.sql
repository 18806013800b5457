-- switch_model: from the next search on the sources of a change are searched under the new model, all of them at once. What
-- reads the tables comes first: it refuses unless every row that a search finds now has its vector of the new model, but for
-- missing_at_most rows. Then it holds a few rows of our own until the commit, and nothing of the application's. Answers how
-- many sources there are, how many rows lack a vector, and for how long it held something. Call it in a transaction of its
-- own. Raises 22004, 42704 (no such change), 55000 (switched already, not walked to the end, rows lack a vector).
create function strata.switch_model(
    to_model text, missing_at_most bigint default 0, out sources int, out missing bigint, out held interval
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c strata.model_change := strata.require_change(to_model);
begin
    if c.state = 'switched' then
        raise exception 'the sources are searched under model "%" already', to_model
            using errcode = '55000', hint = 'call strata.revert_model to go back, or strata.end_model_change to stay';
    end if;
    missing := strata.require_filled(c.to_model, missing_at_most);
    select t.sources, t.held into sources, held from strata.turn_models(c, c.to_model) t;
end
$$;
revoke execute on function strata.switch_model from public;

-- revert_model: the way back: the sources of a change are searched under the old model again, which was kept current. The
-- change goes on; strata.switch_model switches again. The same answers and refusals.
create function strata.revert_model(
    to_model text, missing_at_most bigint default 0, out sources int, out missing bigint, out held interval
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c strata.model_change := strata.require_change(to_model);
begin
    if c.state = 'filling' then
        raise exception 'the sources are still searched under model "%"', c.from_model
            using errcode = '55000', hint = 'strata.end_model_change gives the change up';
    end if;
    missing := strata.require_filled(c.from_model, missing_at_most);
    select t.sources, t.held into sources, held from strata.turn_models(c, c.from_model) t;
end
$$;
revoke execute on function strata.revert_model from public;

-- require_filled: how many rows that a search finds now have no vector of the model beside. Reads the tables.
create function strata.require_filled(model text, missing_at_most bigint) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    unwalked text := (select min(b.entity_type) from strata.source_beside b where b.model = require_filled.model and not b.walked);
    lacking  bigint;
    dead     bigint;
begin
    if unwalked is not null then
        raise exception 'the rows of source "%" are not all queued for model "%" yet', unwalked, model
            using errcode = '55000', hint = 'run "strata worker", or "strata embed"; strata.model_changes() tells how far it is';
    end if;
    lacking := (select coalesce(sum(strata.count_unready(b.entity_type)), 0) from strata.source_beside b
                where b.model = require_filled.model);
    if lacking > coalesce(missing_at_most, 0) then
        dead := (select count(*) from strata.job j where j.model = require_filled.model and j.state = 'dead');
        raise exception '% rows have no vector of model "%" yet', lacking, model
            using errcode = '55000', detail = format('%s jobs of it are dead', dead),
                  hint = case when dead > 0 then 'strata.retry_dead() has them tried again; missing_at_most allows for them'
                              else 'run "strata worker", or "strata embed"; missing_at_most allows for rows that nobody will miss' end;
    end if;
    return lacking;
end
$$;
revoke execute on function strata.require_filled from public;

-- count_unready: how many rows of a source have a vector of the model it is searched by, and none of the one beside.
create function strata.count_unready(entity_type text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    searched strata.source := strata.source_as(entity_type, null);
    beside   strata.source;
    unready  bigint;
begin
    select (strata.source_as(b.entity_type, b.model)).* into beside
    from strata.source_beside b where b.entity_type = count_unready.entity_type;
    execute format('select count(*) from %I.%I r where not (%s) and %s', searched.relation_schema, searched.relation_name,
                   strata.vectorless(searched, 'r'), strata.vectorless(beside, 'r'))
        into unready;
    return unready;
end
$$;
revoke execute on function strata.count_unready from public;

-- turn_models: what is beside is searched, and what was searched is beside. Of two who turn at once, the second is refused.
-- Its statements are planned before it holds anything: a first pass is for no model.
create function strata.turn_models(c strata.model_change, searched text, out sources int, out held interval)
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    began  timestamptz;
    target text;
begin
    foreach target in array array[null, searched] loop
        began := clock_timestamp();
        update strata.model_change x
        set state = case target when c.to_model then 'switched' else 'filling' end, switched_at = clock_timestamp()
        where x.to_model = c.to_model and x.state = c.state and target is not null;
        if not found and target is not null then
            raise exception 'the change to model "%" was turned or ended meanwhile', c.to_model
                using errcode = '55000', hint = 'look at strata.model_changes()';
        end if;
        with before as (
            select s.entity_type, s.model, s.vector_column, s.store, s.model_column, s.embedded_at_column
            from strata.source s join strata.source_beside b on b.entity_type = s.entity_type
            where b.model = target order by s.entity_type for update
        ), turned as (
            update strata.source s
            set model = b.model, vector_column = b.vector_column, store = b.store, model_column = b.model_column,
                embedded_at_column = b.embedded_at_column
            from strata.source_beside b where b.entity_type = s.entity_type and b.model = target
        )
        update strata.source_beside b
        set model = o.model, vector_column = o.vector_column, store = o.store, model_column = o.model_column,
            embedded_at_column = o.embedded_at_column
        from before o where o.entity_type = b.entity_type;
        get diagnostics sources = row_count;
    end loop;
    held := clock_timestamp() - began;
end
$$;
revoke execute on function strata.turn_models from public;
