//! The hierarchy, kept by marks, is what its defining query answers.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    const COLUMNS: &str =
        "task_id, task_name, user_id, project_id, project_name, area_id, area_name, pillar_id, pillar_name,
        task_status, task_priority, due_date, hrm_priority_score, hrm_alignment_score";

    /// Four tables with triggers, the view, and a tree: 2 pillars, 4 areas, 8 projects, 24 tasks, some without parents.
    fn tree() {
        tables();
        run("create table public.pillars (id uuid primary key, name text);
             create table public.areas (id uuid primary key, name text, pillar_id uuid references public.pillars on delete set null);
             create table public.projects (id uuid primary key, name text, area_id uuid references public.areas on delete set null);
             create table public.tasks (id uuid primary key, name text not null, user_id uuid, project_id uuid references public.projects on delete cascade,
                 status text, priority text, due_date date, hrm_priority_score numeric, hrm_alignment_score numeric, noise int);
             create table public.hierarchy_view (task_id uuid primary key, task_name text, user_id uuid, project_id uuid, project_name text,
                 area_id uuid, area_name text, pillar_id uuid, pillar_name text, task_status text, task_priority text, due_date date,
                 hrm_priority_score numeric, hrm_alignment_score numeric)");
        for table in ["tasks", "projects", "areas", "pillars"] {
            for (event, transition) in [
                ("insert", "referencing new table as new_rows"),
                ("update", "referencing old table as old_rows new table as new_rows"),
                ("delete", "referencing old table as old_rows"),
                ("truncate", ""),
            ] {
                run(&format!(
                    "create trigger mark_{event} after {event} on public.{table} {transition}
                              for each statement execute function strata.mark_hierarchy_change()"
                ));
            }
        }
        let uuid = "('00000000-0000-0000-0000-' || lpad((g)::text, 12, '0'))::uuid";
        let parent = |by: u32| {
            format!("case when g % 5 <> 0 then {} end", uuid.replace("(g)", &format!("(1 + g / {by})")))
        };
        run(&format!(
            "insert into public.pillars select {uuid}, 'pillar ' || g from generate_series(1, 3) g;
             insert into public.areas select {uuid}, 'area ' || g, {} from generate_series(1, 4) g;
             insert into public.projects select {uuid}, 'project ' || g, {} from generate_series(1, 6) g;
             insert into public.tasks select {uuid}, 'task ' || g, '{ANN}', {} from generate_series(1, 24) g",
            parent(2),
            parent(2),
            parent(5)
        ));
    }

    fn refresh() -> String {
        ask("select strata.refresh_hierarchy_view()")
    }

    /// Rows that the view and its defining query do not share.
    fn difference() -> String {
        let truth = "select t.id, t.name, t.user_id, p.id, p.name, a.id, a.name, i.id, i.name, t.status, t.priority, t.due_date,
                            t.hrm_priority_score, t.hrm_alignment_score
                     from public.tasks t left join public.projects p on p.id = t.project_id
                     left join public.areas a on a.id = p.area_id left join public.pillars i on i.id = a.pillar_id";
        ask(&format!("select count(*) from ((table v except {truth}) union all ({truth} except table v)) d")
            .replace("table v", &format!("select {COLUMNS} from public.hierarchy_view")))
    }

    #[pg_test]
    fn every_task_is_there_with_or_without_parents() {
        tree();
        assert_eq!(refresh(), "24");
        assert_eq!((difference().as_str(), refresh().as_str()), ("0", "0"));
        assert_eq!(ask("select count(*) from public.hierarchy_view where project_id is null"), "4");
    }

    #[pg_test]
    fn each_kind_of_change_arrives_and_touches_only_what_differs() {
        tree();
        refresh();
        let one = |number| format!("id = '{}'", id(number));
        let changes = [
            (
                format!("update public.tasks set name = 'renamed', status = 'done' where {}", one(7)),
                Some("1"),
            ),
            ("update public.tasks set noise = 1".to_owned(), Some("0")),
            ("update public.tasks set name = name".to_owned(), Some("0")),
            (format!("update public.tasks set project_id = null where {}", one(7)), Some("1")),
            (format!("update public.projects set name = 'renamed' where {}", one(2)), None),
            (format!("update public.projects set area_id = '{}' where {}", id(3), one(2)), None),
            (format!("update public.areas set name = 'renamed' where {}", one(1)), None),
            (format!("update public.areas set pillar_id = null where {}", one(1)), None),
            ("update public.pillars set name = 'renamed'".to_owned(), None),
            (format!("delete from public.pillars where {}", one(2)), None),
            (format!("delete from public.areas where {}", one(3)), None),
            (format!("delete from public.projects where {}", one(4)), None),
            (format!("delete from public.tasks where {}", one(1)), Some("1")),
            (format!("update public.tasks set id = '{}' where {}", id(99), one(2)), Some("2")),
            (
                format!(
                    "update public.tasks set id = '{}' where {}; update public.tasks set id = '{}' where {}",
                    id(2),
                    one(99),
                    id(99),
                    one(2)
                ),
                Some("0"),
            ),
            ("truncate public.tasks".to_owned(), None),
        ];
        for (sql, touched) in changes {
            run(&sql);
            let count = refresh();
            assert_eq!(difference(), "0", "{sql}");
            assert!(touched.is_none_or(|t| t == count), "{sql}: {count}");
            assert_eq!(ask("select count(*) from strata.hierarchy_change"), "0");
        }
        assert_eq!(ask("select count(*) from public.hierarchy_view"), "0");
    }

    #[pg_test]
    fn a_row_that_somebody_tampered_with_heals_when_all_is_marked() {
        tree();
        refresh();
        run(
            "update public.hierarchy_view set task_name = 'wrong'; insert into strata.hierarchy_change (kind) values ('task')",
        );
        assert_eq!((refresh().as_str(), difference().as_str()), ("24", "0"));
    }

    #[pg_test]
    fn a_schema_has_its_own_marks() {
        tree();
        refresh();
        run("create schema other");
        for table in ["tasks", "projects", "areas", "pillars", "hierarchy_view"] {
            run(&format!("create table other.{table} (like public.{table} including all)"));
        }
        run(&format!("update public.tasks set name = 'renamed' where id = '{}'", id(1)));
        assert_eq!(ask("select strata.refresh_hierarchy_view('other')"), "0");
        assert_eq!(refresh(), "1");
    }

    #[pg_test]
    fn writers_need_no_rights_on_the_marks() {
        tree();
        refresh();
        run("create role writer; grant usage on schema public to writer; grant select, update on public.tasks to writer;
             set local role writer; update public.tasks set name = 'by writer'; reset role");
        assert_eq!((refresh().as_str(), difference().as_str()), ("24", "0"));
    }

    #[pg_test]
    fn a_missing_table_is_named() {
        tables();
        assert_eq!(
            refusal("select strata.refresh_hierarchy_view()"),
            "42P01 relation public.areas does not exist"
        );
        assert_eq!(refusal("select strata.refresh_hierarchy_view(null)"), "22004 schema must not be null");
        assert_eq!(
            refusal("select strata.refresh_hierarchy_view('it''s')"),
            "42P01 relation \"it's\".areas does not exist"
        );
    }

    #[pg_test]
    fn a_trigger_on_another_table_must_name_its_kind() {
        tables();
        run("create trigger mark after insert on public.note referencing new table as new_rows
             for each statement execute function strata.mark_hierarchy_change('planet')");
        assert_eq!(
            refusal(&format!("insert into public.note (user_id) values ('{ANN}')")),
            "22023 strata.mark_hierarchy_change takes task, project, area or pillar, not \"planet\""
        );
    }
}
