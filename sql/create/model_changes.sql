-- model_changes: the changes that are open: how many of the sources were walked to their end, the jobs of the model that is
-- not searched by state, what was sent to the new model and what may be, and whether the budget has stopped it.
create function strata.model_changes()
returns table (
    from_model text, to_model text, state text, sources bigint, walked bigint, queued bigint, leased bigint, dead bigint,
    spent_tokens bigint, budget_tokens bigint, stopped boolean, started_at timestamptz, switched_at timestamptz
)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select c.from_model, c.to_model, c.state, b.sources, b.walked, j.queued, j.leased, j.dead, c.spent_tokens, c.budget_tokens,
           c.stopped and c.state = 'filling', c.started_at, c.switched_at
    from strata.model_change c
    cross join lateral (
        select count(*) as sources, count(*) filter (where b.walked) as walked from strata.source_beside b
        where b.model in (c.from_model, c.to_model)
    ) b
    cross join lateral (
        select count(*) filter (where j.state = 'queued') as queued, count(*) filter (where j.state = 'leased') as leased,
               count(*) filter (where j.state = 'dead') as dead
        from strata.job j where j.model = case c.state when 'filling' then c.to_model else c.from_model end
    ) j
    order by c.started_at
$$;
revoke execute on function strata.model_changes from public;

-- model_change_progress: for each source of a change and each tenant, the rows that have a text and how many of them have a
-- vector of the model that is not searched. Reads the tables. Raises 22004, 42704 (no such change).
create function strata.model_change_progress(to_model text)
returns table (entity_type text, tenant uuid, rows bigint, embedded bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    c      strata.model_change := strata.require_change(to_model);
    beside strata.source;
begin
    for beside in
        select (strata.source_as(b.entity_type, b.model)).* from strata.source_beside b
        where b.model in (c.from_model, c.to_model) order by b.entity_type
    loop
        return query execute format(
            'select %L::text, r.%I, count(*), count(*) filter (where not (%s)) from %I.%I r where %s <> '''' group by 2 order by 2',
            beside.entity_type, beside.tenant_column, strata.vectorless(beside, 'r'), beside.relation_schema, beside.relation_name,
            strata.text_expression(beside.title_column, beside.content_columns, 'r'));
    end loop;
end
$$;
revoke execute on function strata.model_change_progress from public;
