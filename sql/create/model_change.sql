-- model_change: the models that are being changed for another, until the change is ended. state: 'filling', the sources are
-- searched under from_model; 'switched', under to_model. In both both are kept current, so that either way is open.
-- budget_tokens: most that may be sent to the new model while it fills; null: no limit. spent_tokens: what was, as workers
-- estimate it. stopped: the next call would have gone beyond the budget; nothing of the new model is claimed.
create table strata.model_change (
    to_model      text        primary key references strata.model,
    from_model    text        not null unique references strata.model check (from_model <> to_model),
    state         text        not null default 'filling' check (state in ('filling', 'switched')),
    budget_tokens bigint      check (budget_tokens > 0),
    spent_tokens  bigint      not null default 0 check (spent_tokens >= 0),
    stopped       boolean     not null default false,
    started_at    timestamptz not null default clock_timestamp(),
    switched_at   timestamptz
);

-- source_beside: the model of a change that a source is embedded with and not searched by, and where its vectors are kept:
-- what strata.source says of the other. A switch makes one the other. walked_to: how far the rows that have no vector of it
-- were queued, in key order; walked: all of them were.
create table strata.source_beside (
    entity_type        text    primary key references strata.source on delete cascade,
    model              text    not null references strata.model,
    vector_column      text,
    store              text    check ((store is null) <> (vector_column is null)),
    model_column       text,
    embedded_at_column text,
    walked_to          text,
    walked             boolean not null default false
);
create index source_beside_model on strata.source_beside (model);

-- source_as: a source as one of its models has it: the one that it is searched by, for null or its name; or the one beside.
-- Null: it has no such model (any more).
create function strata.source_as(entity_type text, model text) returns strata.source
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source;
    b strata.source_beside;
begin
    select * into s from strata.source x where x.entity_type = source_as.entity_type;
    if model is null or model = s.model then
        return s;
    end if;
    select * into b from strata.source_beside x where x.entity_type = source_as.entity_type and x.model = source_as.model;
    if b.model is null then
        return null;
    end if;
    s.model := b.model;
    s.vector_column := b.vector_column;
    s.store := b.store;
    s.model_column := b.model_column;
    s.embedded_at_column := b.embedded_at_column;
    return s;
end
$$;
revoke execute on function strata.source_as from public;

-- vectorless: the condition under which a row has no vector of a source's model. A store is asked row by row, by its key.
create function strata.vectorless(s strata.source, alias text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when s.vector_column is not null then format('%I.%I is null', alias, s.vector_column)
                else format('not exists (select from strata_vectors.%I v where v.entity_type = %L and v.entity_id = %s offset 0)',
                            s.store, s.entity_type, strata.id_of(s, alias)) end
$$;
revoke execute on function strata.vectorless from public;
