//! `strata worker`: a run whose executor is gone goes on with no hand put to it, as the role that asked for it and as
//! nobody else.

use strata_tests::{Database, Folder, Running, Strata};

/// A version that ends when the test lets it, and one behind it.
const SLOW: &str = "create table slow (x int); insert into slow values (1); select stop_until_go()";

fn database() -> Database {
    let database = Database::installed();
    database.run(
        "create table go ();
         create function stop_until_go() returns void language plpgsql as $$
         begin
             while not exists (select from go) loop perform pg_sleep(0.02); end loop;
         end $$",
    );
    let pack = Folder::of(&[("001_slow.up.sql", SLOW), ("002_more.up.sql", "create table more ()")]);
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    database
}

fn start(database: &Database) -> String {
    database.value("select strata.start_run('pack')::text")
}

fn until_asleep(database: &Database) {
    database.until("select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')");
}

fn let_go(database: &Database) {
    database.run("insert into go default values");
}

/// Starts a run and kills its background worker in the middle of it.
fn orphaned(database: &Database) -> String {
    let run = start(database);
    until_asleep(database);
    database.run(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where backend_type = 'strata run' and datname = current_database()",
    );
    assert!(!database.value::<bool>(&format!("select alive from strata.run_progress('{run}')")));
    run
}

fn worker(database: &Database, words: &[&str]) -> Running {
    let run = Strata::on(database).start(&[&["worker"], words].concat());
    run.until("worker on ");
    run
}

fn stop(worker: Running) {
    worker.signal("TERM");
    worker.end().ok();
}

fn runs(database: &Database) -> Vec<String> {
    database.column("select state || attempt from strata.run")
}

fn until_succeeded(database: &Database) {
    database.until("select bool_and(state = 'succeeded') from strata.run");
}

#[test]
fn a_run_whose_worker_died_is_taken_over_by_one_of_several() {
    let database = database();
    orphaned(&database);
    let workers = [worker(&database, &[]), worker(&database, &[]), worker(&database, &[])];
    until_asleep(&database);
    let_go(&database);
    until_succeeded(&database);
    workers.into_iter().for_each(stop);
    assert_eq!(runs(&database), ["succeeded2"]);
    assert_eq!(database.column::<i32>("select x from slow"), [1], "each version was applied once");
}

#[test]
fn a_run_with_an_executor_is_left_alone_and_so_is_one_of_the_command_line() {
    let database = database();
    start(&database);
    until_asleep(&database);
    let idle = Strata::on(&database).run(&["worker", "--once"]).ok();
    assert_eq!(idle.stdout, "");
    let_go(&database);
    until_succeeded(&database);

    let database = self::database();
    let pack = Folder::of(&[("pack.toml", "name = \"other\"\ntitle = \"o\""), ("001_slow.up.sql", SLOW)]);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    until_asleep(&database);
    run.kill();
    database.terminate_others();
    assert_eq!(Strata::on(&database).run(&["worker", "--once"]).ok().stdout, "");
    let status = strata.run(&["status"]).ok();
    assert!(status.stdout.contains("has lost its executor"), "{}", status.stdout);
    assert_eq!(strata.run(&["status", "--json"]).ok().json()["run"]["alive"], false);
    let_go(&database);
    strata.run(&["up"]).ok();
    assert_eq!(runs(&database), ["succeeded2"]);
}

#[test]
fn a_worker_that_is_told_to_stop_ends_its_version_and_leaves_the_run_to_the_next() {
    let database = database();
    orphaned(&database);
    let first = worker(&database, &[]);
    until_asleep(&database);
    first.signal("TERM");
    first.until("stopping after this version");
    let_go(&database);
    first.end().ok();
    assert_eq!(runs(&database), ["queued2"]);
    assert_eq!(
        database.column::<String>("select state from strata.migration order by version"),
        ["applied", "pending"]
    );
    let told = Strata::on(&database).run(&["worker", "--once", "--json"]).ok().json();
    assert!(told["event"] == "succeeded" && told["moved"] == serde_json::json!([2]), "{told}");
    assert_eq!(runs(&database), ["succeeded3"]);
}

#[test]
fn a_worker_that_is_told_twice_lets_go_at_once_and_the_next_goes_on() {
    let database = database();
    orphaned(&database);
    let first = worker(&database, &[]);
    until_asleep(&database);
    first.signal("TERM");
    first.until("stopping after this version");
    first.signal("TERM");
    first.end().ok();
    assert!(database.value::<bool>("select to_regclass('slow') is null"), "the step is undone");
    let_go(&database);
    Strata::on(&database).run(&["worker", "--once"]).ok();
    assert_eq!(runs(&database), ["succeeded3"]);
}

#[test]
fn an_executor_that_is_frozen_is_ended_after_its_lease_and_writes_nothing_more() {
    let database = database();
    orphaned(&database);
    let frozen = worker(&database, &["--lease", "3600"]);
    until_asleep(&database);
    frozen.signal("STOP");
    let_go(&database);
    // What it has sent ends, commit and all, and nobody sends the next.
    database.until("select exists (select from pg_stat_activity a join strata.run r on r.executor_pid = a.pid where a.state like 'idle%')");
    let second = worker(&database, &["--lease", "1"]);
    second.until("its session is ended");
    until_succeeded(&database);
    stop(second);
    frozen.signal("CONT");
    frozen.until("trying again");
    stop(frozen);
    assert_eq!(runs(&database), ["succeeded3"]);
    assert_eq!(database.column::<i32>("select x from slow"), [1]);
    let told: Vec<Option<bool>> =
        database.column("select success from strata.migration_history where version = 1 order by id");
    assert_eq!(
        told,
        [None, Some(true)],
        "the first attempt did not end; what the frozen one had sent did, once"
    );
}

#[test]
fn a_run_that_fails_is_not_tried_again_and_its_failure_is_the_end_of_a_single_look() {
    let database = database();
    orphaned(&database);
    database.run("create table more ()");
    let_go(&database);
    let failed = Strata::on(&database).run(&["worker", "--once"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stdout.contains("relation \"more\" already exists"), "{}", failed.stdout);
    assert_eq!(runs(&database), ["failed2"]);
    assert_eq!(Strata::on(&database).run(&["worker", "--once"]).ok().stdout, "");
}

#[test]
fn a_run_whose_files_changed_fails_and_says_why() {
    let database = database();
    let_go(&database);
    let run = start(&database);
    database.until(&format!("select state = 'succeeded' from strata.run where id = '{run}'"));
    // As if the worker had died behind the last version, and somebody had changed a file since.
    database.run(
        "update strata.run set state = 'running', finished_at = null, executor_pid = 0;
         update strata.pack_file set text = 'select 1', checksum = encode(sha256('select 1'), 'hex') where name = '001_slow.up.sql'",
    );
    let refused = Strata::on(&database).run(&["worker", "--once"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    let told: Vec<String> = database.column("select state || ' ' || sqlstate from strata.run");
    assert_eq!(told, ["failed ST007"]);
}

/// A role that may start runs; a run of it whose worker died is left.
fn orphan_of_another(database: &Database) -> String {
    let role = format!("strata_worker_{}", database.name().replace("strata_test_", ""));
    database.run(&format!(
        "create role {role}; grant create, usage on schema public to {role};
         grant usage on schema strata to {role}; grant select on go to {role};
         grant execute on function strata.start_run(text, bigint, int, boolean, jsonb), strata.resume_run(uuid)
             to {role}"
    ));
    let mut session = database.connect();
    session.batch_execute(&format!("set role {role}")).expect("a superuser may");
    session.query("select strata.start_run('pack')", &[]).expect("started");
    until_asleep(database);
    database.run(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where backend_type = 'strata run' and datname = current_database()",
    );
    role
}

fn forget(database: &Database, role: &str) {
    database.run(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn a_run_of_another_role_goes_on_as_that_role() {
    let database = database();
    let role = orphan_of_another(&database);
    let_go(&database);
    let told = Strata::on(&database).run(&["worker", "--once"]).ok();
    assert!(told.stdout.contains(&format!("handed to a background worker of {role}")), "{}", told.stdout);
    until_succeeded(&database);
    let owner: String = database.value("select tableowner from pg_tables where tablename = 'slow'");
    assert_eq!(owner, role, "and not the worker's");
    database.until("select not exists (select from pg_stat_activity where backend_type = 'strata run' and datname = current_database())");
    forget(&database, &role);
}

#[test]
fn a_run_of_a_role_that_the_worker_is_not_a_member_of_is_refused_and_told_once() {
    let database = database();
    let role = orphan_of_another(&database);
    let (stranger, theirs) = stranger(&database);
    let refused = Strata::at(&theirs).run(&["worker", "--once"]).ok();
    assert!(refused.stdout.contains(&format!("was asked for by {role}")), "{}", refused.stdout);
    assert!(refused.stdout.contains(&format!("grant {role} to this one")), "{}", refused.stdout);
    assert_eq!(runs(&database), ["running1"], "nobody has touched it");
    database.run("update strata.run set state = 'cancelled', finished_at = now()");
    forget(&database, &role);
    forget(&database, &stranger);
}

#[test]
fn a_run_whose_files_somebody_else_has_pushed_since_is_not_turned() {
    let database = database();
    orphaned(&database);
    let_go(&database);
    database.run("update strata.pack_file set pushed_at = now() + '1 second', pushed_by = 'somebody' where name = '001_slow.up.sql'");
    let refused = Strata::on(&database).run(&["worker", "--once"]).ok();
    assert!(refused.stdout.contains("somebody else has pushed files of it"), "{}", refused.stdout);
    assert_eq!(runs(&database), ["running1"]);
}

/// Somebody who may run a worker and has nothing to do with the run.
fn stranger(database: &Database) -> (String, String) {
    let role = format!("strata_stranger_{}", database.name().replace("strata_test_", ""));
    database.run(&format!(
        "create role {role} login password 'secret'; grant usage on schema strata to {role};
         grant execute on function strata.runs_to_take(interval), strata.end_hung_executors(interval) to {role}"
    ));
    let url = database.url().replace(&format!("owner:{}", database.password()), &format!("{role}:secret"));
    (role, url)
}

#[test]
fn a_worker_where_strata_is_not_installed_ends_with_a_reason() {
    Strata::on(&Database::empty()).run(&["worker"]).exits(22).says(&["strata is not installed"]);
    let database = Database::installed();
    assert_eq!(database.refusal("select strata.end_hung_executors('0')").0, "22023");
}
