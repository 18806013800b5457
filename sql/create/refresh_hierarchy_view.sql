-- refresh_hierarchy_view: brings the table hierarchy_view of a schema up to date with tasks, projects, areas and pillars
-- there, and answers how many of its rows were written or removed. Touches what has been marked since the last time,
-- and of that only what differs. One refresh at a time; readers and writers of the tables are not held up.
-- Raises 22004 (no schema), 42P01 (one of the tables is missing).
create function strata.refresh_hierarchy_view(schema text default 'public') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing text;
    marked  record;
    touched uuid[];
    written bigint;
begin
    if schema is null then
        raise exception 'schema must not be null' using errcode = '22004';
    end if;
    select min(format('%I.%I', schema, n.name)) into missing
    from unnest(array['tasks', 'projects', 'areas', 'pillars', 'hierarchy_view']) n(name)
    where to_regclass(format('%I.%I', schema, n.name)) is null;
    if missing is not null then
        raise exception 'relation % does not exist', missing
            using errcode = '42P01', hint = 'the hierarchy is tasks, projects, areas, pillars and the table '
                                            'hierarchy_view; migration 008 of the pack aurum creates the last';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('strata.hierarchy ' || schema, 0));
    -- A statement of its own, before the tables are read: what it does not see is marked for the next refresh.
    with taken as (delete from strata.hierarchy_change c where c.relation_schema = schema returning c.kind, c.id)
    select bool_or(t.id is null) as everything,
           array_agg(distinct t.id) filter (where t.kind = 'task') as tasks,
           array_agg(distinct t.id) filter (where t.kind = 'project') as projects,
           array_agg(distinct t.id) filter (where t.kind = 'area') as areas,
           array_agg(distinct t.id) filter (where t.kind = 'pillar') as pillars
    into marked from taken t;
    if marked.everything is null then
        return 0;
    elsif not marked.everything then
        execute replace(strata.hierarchy_statement('touched'), '{s}', quote_ident(schema))
            into touched using marked.tasks, marked.projects, marked.areas, marked.pillars;
    end if;
    execute replace(strata.hierarchy_statement(case when marked.everything then 'all' else 'some' end), '{s}', quote_ident(schema))
        into written using touched;
    return written;
end
$$;
revoke execute on function strata.refresh_hierarchy_view from public;
