//! A server whose workers are all at work. A test program of its own: it takes them from every other test.

use strata_tests::{Database, Folder, Strata};

#[test]
fn without_a_free_worker_a_run_is_refused_and_not_left_queued() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_slow.up.sql", "select pg_sleep(60)")]);
    // Each in a transaction that stays open: a worker waits for its end. The server has workers of its own, so how many
    // fit is not known; more than all of them do not.
    let mut held = Vec::new();
    let most: i32 = database.value("select current_setting('max_worker_processes')::int");
    for number in 0..=most {
        pack.write("pack.toml", &format!("name = \"p{number}\"\ntitle = \"p\""));
        Strata::on(&database).path(pack.path()).run(&["push"]).ok();
        let mut session = database.connect();
        session.batch_execute("begin").expect("begun");
        match session.query_one(&format!("select strata.start_run('p{number}')::text"), &[]) {
            Ok(_) => held.push(session),
            Err(error) => {
                let error = error.as_db_error().expect("the server's");
                assert_eq!(error.code().code(), "53000");
                assert!(error.hint().is_some_and(|hint| hint.contains("max_worker_processes")));
                session.batch_execute("rollback").expect("rolled back");
                assert_eq!(database.value::<i64>("select count(*) from strata.run"), 0);
                return;
            }
        }
    }
    panic!("{} workers at once, of {most}", held.len());
}
