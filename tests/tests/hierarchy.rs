//! hierarchy_view says what the four tables say, for each user what is theirs.

use strata_tests::aurum::{DANIEL, MAYA};
use strata_tests::{Database, aurum};

const DEFINITION: &str =
    "select t.id, t.name, t.user_id, p.id, p.name, a.id, a.name, i.id, i.name, t.status, t.priority,
    t.due_date, t.hrm_priority_score, t.hrm_alignment_score
    from tasks t left join projects p on p.id = t.project_id left join areas a on a.id = p.area_id
    left join pillars i on i.id = a.pillar_id";

const COLUMNS: &str =
    "task_id, task_name, user_id, project_id, project_name, area_id, area_name, pillar_id, pillar_name,
    task_status, task_priority, due_date, hrm_priority_score, hrm_alignment_score";

fn difference(database: &Database) -> i64 {
    let view = format!("select {COLUMNS} from hierarchy_view");
    database.value(&format!(
        "select (select count(*) from (({view}) except all ({DEFINITION})) x) + (select count(*) from (({DEFINITION}) except all ({view})) y)"
    ))
}

/// Runs a change, refreshes, and compares. Answers how many rows the refresh wrote.
fn after(database: &Database, change: &str) -> i64 {
    database.run(change);
    let written = database.value("select refresh_hierarchy_view()");
    assert_eq!(difference(database), 0, "after: {change}");
    written
}

#[test]
fn it_equals_its_definition_after_every_kind_of_change() {
    let database = aurum::migrated();
    assert_eq!(difference(&database), 0, "after the migration");
    let one = "(select min(id::text)::uuid from tasks where project_id is not null)";
    assert_eq!(after(&database, &format!("update tasks set name = 'another' where id = {one}")), 1);
    assert_eq!(after(&database, &format!("update tasks set project_id = null where id = {one}")), 1);
    assert_eq!(after(&database, &format!("delete from tasks where id = {one}")), 1);
    let insert =
        format!("insert into tasks (user_id, name) values ('{MAYA}', 'no project'), ('{MAYA}', 'nor this')");
    assert_eq!(after(&database, &insert), 2);
    for change in [
        "update projects set name = name || '!' where name like '%a%'",
        "update projects set area_id = null where id in (select id from projects order by id limit 2)",
        "update projects p set area_id = a.id from areas a where a.user_id = p.user_id",
        "update areas set name = upper(name), pillar_id = null where name < 'M'",
        "update areas a set pillar_id = i.id from pillars i where i.user_id = a.user_id",
        "update pillars set name = 'P ' || name",
        "delete from areas where id in (select id from areas order by id limit 3)",
        "delete from projects where id in (select id from projects order by id limit 3)",
        "delete from pillars where id in (select id from pillars order by id desc limit 2)",
        "insert into pillars (user_id, name) select id, 'New' from auth.users; update areas a set pillar_id = i.id from pillars i where i.name = 'New' and i.user_id = a.user_id",
        "update tasks set due_date = current_date, status = 'completed' where status = 'todo'",
        "delete from auth.users where email like 'tomasz%'",
        "begin; insert into projects (id, user_id, name) select 'a0000000-0000-4000-8000-000000000001', id, 'p' from auth.users limit 1; \
         insert into tasks (user_id, project_id, name) select user_id, id, 'in it' from projects where name = 'p'; commit",
    ] {
        after(&database, change);
    }
    after(&database, "truncate tasks");
    assert_eq!(database.value::<i64>("select count(*) from hierarchy_view"), 0);
}

#[test]
fn an_update_of_another_column_marks_nothing() {
    let database = aurum::migrated();
    database.run("update tasks set description = 'other', focus_time_minutes = 3; update projects set status = 'on_hold', description = 'x'");
    assert_eq!(database.value::<i64>("select count(*) from strata.hierarchy_change"), 0);
    assert_eq!(database.value::<i64>("select refresh_hierarchy_view()"), 0);
    assert_eq!(difference(&database), 0);
}

#[test]
fn a_user_sees_only_their_own_rows_and_cannot_refresh() {
    let database = aurum::migrated();
    let mut session = database.connect();
    let mut transaction = session.transaction().expect("a transaction");
    let count = |client: &mut postgres::Transaction<'_>, sql: &str| -> i64 {
        client.query_one(sql, &[]).expect(sql).get(0)
    };
    let all = count(&mut transaction, "select count(*) from hierarchy_view");
    let mine = count(&mut transaction, &format!("select count(*) from tasks where user_id = '{DANIEL}'"));
    transaction
        .batch_execute(&format!(
            "set local role authenticated; set local request.jwt.claims = '{{\"sub\":\"{DANIEL}\"}}'"
        ))
        .expect("a signed-in user");
    assert_eq!(count(&mut transaction, "select count(*) from hierarchy_view"), mine);
    assert_eq!(
        count(&mut transaction, &format!("select count(*) from hierarchy_view where user_id <> '{DANIEL}'")),
        0
    );
    assert!(0 < mine && mine < all);
    for sql in [
        "select refresh_hierarchy_view()",
        "delete from hierarchy_view",
        "select * from strata.hierarchy_change",
    ] {
        let (sqlstate, _) = strata_tests::database::refusal(
            transaction.transaction().expect("a savepoint").execute(sql, &[]),
            sql,
        );
        assert_eq!(sqlstate, "42501", "{sql}");
    }
}

#[test]
fn writers_at_the_same_time_lose_no_mark() {
    let database = aurum::migrated();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let mut session = database.connect();
            scope.spawn(move || {
                for round in 0..15 {
                    let sql = format!("update tasks set name = 'w{writer} {round}' where abs(hashtext(id::text)) % 3 = {writer}");
                    session.batch_execute(&sql).expect("written");
                }
            });
        }
        let mut session = database.connect();
        scope.spawn(move || {
            for _ in 0..15 {
                session.query_one("select refresh_hierarchy_view()", &[]).expect("refreshed");
            }
        });
    });
    after(&database, "select 1");
}
