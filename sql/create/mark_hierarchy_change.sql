-- mark_hierarchy_change: the trigger function of tasks, projects, areas and pillars, after insert, update, delete (for
-- each statement, with the transition tables old_rows and new_rows) and truncate. Its argument is the kind of the table:
-- task, project, area or pillar; without one the table's name decides. Marks what the hierarchy shows of a row, so that
-- an update of any other column marks nothing. SECURITY DEFINER: writers have no rights on the marks. Raises 22023.
create function strata.mark_hierarchy_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kind text := coalesce(tg_argv[0], case tg_table_name when 'tasks' then 'task' when 'projects' then 'project'
                                                         when 'areas' then 'area' when 'pillars' then 'pillar' end);
begin
    if kind is null or kind not in ('task', 'project', 'area', 'pillar') then
        raise exception 'strata.mark_hierarchy_change takes task, project, area or pillar, not "%"', coalesce(kind, 'null')
            using errcode = '22023', hint = format('name the kind of %I in trigger %I', tg_table_name, tg_name);
    elsif tg_op = 'TRUNCATE' then
        insert into strata.hierarchy_change (relation_schema, kind) values (tg_table_schema, kind);
    elsif tg_op = 'INSERT' then
        insert into strata.hierarchy_change (relation_schema, kind, id) select tg_table_schema, kind, n.id from new_rows n;
    elsif tg_op = 'DELETE' then
        insert into strata.hierarchy_change (relation_schema, kind, id) select tg_table_schema, kind, o.id from old_rows o;
    elsif kind = 'task' then
        insert into strata.hierarchy_change (relation_schema, kind, id)
        select tg_table_schema, kind, coalesce(n.id, o.id) from new_rows n full join old_rows o on o.id = n.id
        where (n.id, n.name, n.user_id, n.project_id, n.status, n.priority, n.due_date, n.hrm_priority_score, n.hrm_alignment_score)
              is distinct from
              (o.id, o.name, o.user_id, o.project_id, o.status, o.priority, o.due_date, o.hrm_priority_score, o.hrm_alignment_score);
    elsif kind = 'project' then
        insert into strata.hierarchy_change (relation_schema, kind, id)
        select tg_table_schema, kind, coalesce(n.id, o.id) from new_rows n full join old_rows o on o.id = n.id
        where (n.id, n.name, n.area_id) is distinct from (o.id, o.name, o.area_id);
    elsif kind = 'area' then
        insert into strata.hierarchy_change (relation_schema, kind, id)
        select tg_table_schema, kind, coalesce(n.id, o.id) from new_rows n full join old_rows o on o.id = n.id
        where (n.id, n.name, n.pillar_id) is distinct from (o.id, o.name, o.pillar_id);
    else
        insert into strata.hierarchy_change (relation_schema, kind, id)
        select tg_table_schema, kind, coalesce(n.id, o.id) from new_rows n full join old_rows o on o.id = n.id
        where (n.id, n.name) is distinct from (o.id, o.name);
    end if;
    return null;
end
$$;
revoke execute on function strata.mark_hierarchy_change from public;
