//! The Aurum pack goes up while the application writes all the while: no write fails, and nothing that was written on the
//! way is missing from what the versions derive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strata_tests::aurum::{self, Vectors};
use strata_tests::{Database, vectors};

/// What the application does, over and over, as it did before anybody migrated it.
const WRITES: [&str; 11] = [
    "insert into tasks (user_id, project_id, name, description) select user_id, id, 'New in ' || name, 'Text' from projects order by random() limit 1",
    "update tasks set name = name || '.' where id = (select id from tasks order by random() limit 1)",
    "update tasks set status = case status when 'todo' then 'completed' else 'todo' end where id = (select id from tasks order by random() limit 1)",
    "delete from tasks where id = (select id from tasks where name like 'New in %' order by random() limit 1)",
    "update tasks set project_id = (select id from projects order by random() limit 1) where id = (select id from tasks order by random() limit 1)",
    "update journal_entries set content = content || '.' where id = (select id from journal_entries order by random() limit 1)",
    "update journal_entries set deleted = deleted is not true, deleted_at = case when deleted then null else now() end where id = (select id from journal_entries order by random() limit 1)",
    "update projects set area_id = (select id from areas where name not like 'New in %' order by random() limit 1) where id = (select id from projects order by random() limit 1)",
    "insert into areas (user_id, pillar_id, name) select user_id, id, 'New in ' || name from pillars order by random() limit 1",
    "delete from areas where id = (select id from areas where name like 'New in %' order by random() limit 1)",
    "insert into journal_entries (user_id, content) select id, 'Written while it was migrated' from auth.users order by random() limit 1",
];

/// Writes from two sessions while `work` runs. Answers how often.
fn while_writing(database: &Database, work: impl FnOnce()) -> usize {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = |first: usize| {
            let (mut session, stop) = (database.connect(), &stop);
            scope.spawn(move || {
                let mut writes = first;
                while !stop.load(Ordering::Relaxed) {
                    let sql = WRITES[writes % WRITES.len()];
                    session.batch_execute(sql).unwrap_or_else(|e| panic!("{:?}\nin: {sql}", e.as_db_error()));
                    writes += 1;
                    std::thread::sleep(Duration::from_millis(3));
                }
                writes - first
            })
        };
        let writers = [writer(0), writer(4)];
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        let writes = writers.into_iter().map(|writer| writer.join().expect("no write fails")).sum();
        done.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
        writes
    })
}

fn assert_none(database: &Database, what: &str, from_where: &str) {
    assert_eq!(database.value::<i64>(&format!("select count(*) from {from_where}")), 0, "{what}");
}

#[test]
fn the_application_writes_all_the_while_and_nothing_is_lost() {
    let database = aurum::application();
    let strata = aurum::strata(&database, Vectors::Local);
    let before = while_writing(&database, || {
        strata.run(&["up", "--to-phase", "3"]).ok();
    });
    vectors::complete_all(&database, 384);
    // Not to phase 8: its gate wants every embedding, and the writers never rest.
    let run = strata.start(&["up", "--to-phase", "7"]);
    // Behind the gate.
    run.until("phase 4");
    let after = while_writing(&database, || {
        run.end().ok();
    });
    assert!(before > 20 && after > 20, "{before} and {after} writes met the migration");

    strata.run(&["verify"]).ok();
    database.run("select refresh_hierarchy_view(); select refresh_user_statistics_cache()");
    vectors::complete_all(&database, 384);
    assert_none(&database, "texts without a vector", "tasks where description_embedding is null");
    assert_none(&database, "texts without a vector", "journal_entries where content_embedding is null");
    assert_none(
        &database,
        "old and new soft delete differ",
        "journal_entries where archived <> (deleted is true)",
    );
    assert_none(
        &database,
        "tasks whose area or pillar is not their project's",
        "tasks t join projects p on p.id = t.project_id left join areas a on a.id = p.area_id
         where (t.area_id, t.pillar_id) is distinct from (p.area_id, a.pillar_id)",
    );
    assert_none(
        &database,
        "rows of hierarchy_view that are wrong",
        "tasks t full join hierarchy_view h on h.task_id = t.id
         left join projects p on p.id = t.project_id left join areas a on a.id = p.area_id
         where (h.task_id, h.task_name, h.task_status, h.project_id, h.area_id, h.pillar_id)
               is distinct from (t.id, t.name, t.status, p.id, a.id, a.pillar_id)",
    );
    assert_none(
        &database,
        "counters that are wrong",
        "user_statistics_cache c where (c.tasks_total, c.tasks_completed, c.journal_entries_total) is distinct from (
             (select count(*) from tasks t where t.user_id = c.user_id),
             (select count(*) from tasks t where t.user_id = c.user_id and t.status = 'completed'),
             (select count(*) from journal_entries j where j.user_id = c.user_id and not j.archived))",
    );
}

#[test]
fn the_application_writes_while_everything_is_taken_back() {
    let database = aurum::migrated();
    let strata = aurum::strata(&database, Vectors::Local);
    let writes = while_writing(&database, || {
        strata.run(&["down", "--all", "--yes"]).ok();
    });
    assert!(writes > 20, "{writes} writes");
    assert_none(&database, "sources", "strata.source");
}
