-- hierarchy_statement: the statements behind refresh_hierarchy_view, with {s} for the schema.
-- touched: $1 to $4 uuid[] marked tasks, projects, areas, pillars; the tasks whose row may differ, uuid[].
-- some, all: $1 uuid[] those tasks, or every task; removes and writes what differs; how many, bigint.
create function strata.hierarchy_statement(which text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $f$
    select case which when 'touched' then $$
select array(
    select unnest($1)
    union select t.id from {s}.tasks t where t.project_id = any ($2)
    union select t.id from {s}.projects p join {s}.tasks t on t.project_id = p.id where p.area_id = any ($3)
    union select t.id from {s}.areas a join {s}.projects p on p.area_id = a.id join {s}.tasks t on t.project_id = p.id
          where a.pillar_id = any ($4))$$
    else replace(replace($$
with wanted as (
    select t.id as task_id, t.name as task_name, t.user_id, p.id as project_id, p.name as project_name,
           a.id as area_id, a.name as area_name, i.id as pillar_id, i.name as pillar_name,
           t.status as task_status, t.priority as task_priority, t.due_date, t.hrm_priority_score, t.hrm_alignment_score
    from {s}.tasks t
    left join {s}.projects p on p.id = t.project_id
    left join {s}.areas a on a.id = p.area_id
    left join {s}.pillars i on i.id = a.pillar_id
    where {t.id}
), removed as (
    delete from {s}.hierarchy_view h
    where {h.task_id} and not exists (select from {s}.tasks t where t.id = h.task_id)
    returning 1
), written as (
    insert into {s}.hierarchy_view as h (task_id, task_name, user_id, project_id, project_name, area_id, area_name, pillar_id,
        pillar_name, task_status, task_priority, due_date, hrm_priority_score, hrm_alignment_score)
    select w.* from wanted w
    where not exists (
        select from {s}.hierarchy_view o
        where o.task_id = w.task_id
          and (o.task_name, o.user_id, o.project_id, o.project_name, o.area_id, o.area_name, o.pillar_id, o.pillar_name,
               o.task_status, o.task_priority, o.due_date, o.hrm_priority_score, o.hrm_alignment_score)
              is not distinct from
              (w.task_name, w.user_id, w.project_id, w.project_name, w.area_id, w.area_name, w.pillar_id, w.pillar_name,
               w.task_status, w.task_priority, w.due_date, w.hrm_priority_score, w.hrm_alignment_score))
    on conflict (task_id) do update
    set (task_name, user_id, project_id, project_name, area_id, area_name, pillar_id, pillar_name, task_status,
         task_priority, due_date, hrm_priority_score, hrm_alignment_score) =
        (excluded.task_name, excluded.user_id, excluded.project_id, excluded.project_name, excluded.area_id,
         excluded.area_name, excluded.pillar_id, excluded.pillar_name, excluded.task_status, excluded.task_priority,
         excluded.due_date, excluded.hrm_priority_score, excluded.hrm_alignment_score)
    returning 1
)
select (select count(*) from removed) + (select count(*) from written)$$,
    '{t.id}', case which when 'all' then '$1 is null' else 't.id = any ($1)' end),
    '{h.task_id}', case which when 'all' then '$1 is null' else 'h.task_id = any ($1)' end) end
$f$;
