//! Runs that meet, die or are told to stop: the state stays true, and the next run ends where an undisturbed one would.

use strata_tests::{Database, Folder, Running, Strata, dump};

/// A version that ends when the test lets it.
const SLOW: &str = "create table slow (x int); insert into slow values (1); select stop_until_go()";

/// A version behind it.
const MORE: &str = "create table more ()";

/// Rows of the backfill, and of each of its batches. It stops at the half until the test lets it go on.
const ROWS: i32 = 300;
const BATCH: i32 = 10;

/// A database in which migrations stop and are let go.
fn database() -> Database {
    let database = Database::installed();
    database.run(
        "create table go ();
         create function stop_until_go() returns void language plpgsql as $$
         begin
             while not exists (select from go) loop perform pg_sleep(0.02); end loop;
         end $$;
         create function stop_at_the_half(key int) returns void language plpgsql as $$
         begin
             if key > 150 then perform stop_until_go(); end if;
         end $$",
    );
    database
}

fn let_go(database: &Database) {
    database.run("insert into go default values");
}

fn slow() -> Folder {
    Folder::of(&[("001_slow.up.sql", SLOW), ("002_more.up.sql", MORE)])
}

fn up(database: &Database, pack: &Folder) -> Running {
    Strata::on(database).path(pack.path()).start(&["up"])
}

/// Starts a run and waits until its migration has stopped.
fn up_until_stopped(database: &Database, pack: &Folder) -> Running {
    let run = up(database, pack);
    database.until(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')",
    );
    run
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

/// A pack of one backfill that counts how often it touched each row.
fn backfill() -> Folder {
    let table = "create table t (id int primary key, touched int not null default 0)";
    let rows = format!("{table}; insert into t select generate_series(1, {ROWS})");
    let statement = "update t set touched = touched + 1 from (select stop_at_the_half($1::int)) s \
                     where id between $1::int and $2::int";
    let call = format!("call strata.backfill('count', 't', 'id', '{statement}', {BATCH}, target => null)");
    Folder::of(&[("001_t.up.sql", &rows), ("002_count.up.sql", &call), ("003_more.up.sql", MORE)])
}

fn assert_each_row_was_touched_once(database: &Database) {
    let found = database.rows("select touched, count(*) from t group by 1", &[]);
    let found: Vec<(i32, i64)> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [(1, i64::from(ROWS))]);
}

#[test]
fn of_two_runs_one_does_the_work_and_the_other_waits() {
    let (database, pack) = (database(), slow());
    let first = up_until_stopped(&database, &pack);
    let second = up(&database, &pack);
    second.until("waiting: the pack is being moved by pid ");
    let_go(&database);
    assert_eq!(first.end().ok().stdout, "2 versions applied\n");
    assert_eq!(second.end().ok().stdout, "no change\n");
    assert_eq!(database.column::<i32>("select x from slow"), [1]);
    assert_eq!(database.value::<i64>("select count(*) from strata.run"), 1, "one run did it");
}

#[test]
fn runs_that_start_together_in_a_new_database_apply_each_version_once() {
    let database = Database::empty();
    let first = "create table a (x int); insert into a values (1)";
    let pack = Folder::of(&[("001_a.up.sql", first), ("002_b.up.sql", "insert into a values (2)")]);
    let runs: Vec<Running> = (0..4).map(|_| up(&database, &pack)).collect();
    let mut results: Vec<String> = runs.into_iter().map(|run| run.end().ok().stdout).collect();
    results.sort();
    assert_eq!(results, ["2 versions applied\n", "no change\n", "no change\n", "no change\n"]);
    assert_eq!(database.column::<i32>("select x from a order by x"), [1, 2]);
}

#[test]
fn packs_do_not_wait_for_each_other() {
    let database = database();
    let slow = Folder::of(&[("pack.toml", "name = \"slow\"\ntitle = \"slow\""), ("001_slow.up.sql", SLOW)]);
    let quick = Folder::of(&[("pack.toml", "name = \"quick\"\ntitle = \"quick\""), ("001_q.up.sql", MORE)]);
    let first = up_until_stopped(&database, &slow);
    up(&database, &quick).end().ok();
    let_go(&database);
    first.end().ok();
}

#[test]
fn a_run_that_cannot_have_the_pack_gives_up_and_names_the_holder() {
    let (database, pack) = (database(), slow());
    let first = up_until_stopped(&database, &pack);
    let strata = Strata::on(&database).path(pack.path());
    let refused = strata.run(&["up", "--lock-timeout", "1"]).exits(6);
    refused.says(&["can't acquire database lock", "pack pack is being moved by pid ", "--lock-timeout"]);
    let_go(&database);
    first.end().ok();
    assert_eq!(states(&database), ["applied", "applied"]);
}

#[test]
fn a_step_whose_run_was_killed_is_undone_and_run_again() {
    let (database, pack) = (database(), slow());
    let run = up_until_stopped(&database, &pack);
    let killed: i32 = database.value("select executor_pid from strata.run");
    run.kill();
    assert_eq!(states(&database), ["applying", "pending"]);
    // The server has not noticed yet: the next run waits until it does. Before that it could still end what it was sent.
    let next = up(&database, &pack);
    next.until("waiting: ");
    database.until(&format!("select not exists (select from pg_stat_activity where pid = {killed})"));
    let_go(&database);
    assert_eq!(next.end().ok().stdout, "2 versions applied\n");
    assert_eq!(
        database.column::<i32>("select x from slow"),
        [1],
        "what the killed run had written is undone"
    );
    assert_eq!(database.column::<i32>("select attempt from strata.run"), [2], "the same run went on");
    let told: Vec<Option<bool>> = database.column("select success from strata.migration_history order by id");
    assert_eq!(told, [None, Some(true), Some(true)], "the history says that the first attempt did not end");
}

#[test]
fn a_killed_backfill_goes_on_behind_its_last_batch() {
    let (database, pack) = (database(), backfill());
    up_until_stopped(&database, &pack).kill();
    database.terminate_others();
    assert_eq!(database.value::<i64>("select rows from strata.backfill_cursor"), 150, "killed in the middle");
    let_go(&database);
    up(&database, &pack).end().ok();
    assert_each_row_was_touched_once(&database);
    assert_eq!(states(&database), ["applied", "applied", "applied"]);

    let undisturbed = self::database();
    let_go(&undisturbed);
    up(&undisturbed, &pack).end().ok();
    assert_eq!(dump(&database), dump(&undisturbed), "the same state as without the kill");
}

#[test]
fn a_backfill_whose_client_was_killed_ends_and_is_not_repeated() {
    let (database, pack) = (database(), backfill());
    up_until_stopped(&database, &pack).kill();
    let next = up(&database, &pack);
    next.until("waiting: ");
    let_go(&database);
    next.end().ok();
    assert_each_row_was_touched_once(&database);
    assert_eq!(states(&database), ["applied", "applied", "applied"]);
}

#[test]
fn an_index_whose_build_was_killed_is_built_again() {
    let database = Database::installed();
    database.run("create table t (x int); insert into t select generate_series(1, 100)");
    let pack = Folder::of(&[("001_index.up.sql", "create index concurrently t_x on t (x)")]);
    // A writer that the build has to wait for.
    let mut writer = database.connect();
    let mut open = writer.transaction().expect("a transaction");
    open.execute("insert into t values (0)", &[]).expect("a row");
    let run = up(&database, &pack);
    let build = "from pg_stat_activity where datname = current_database() and query like 'create index%'";
    database.until(&format!("select exists (select {build} and wait_event_type = 'Lock')"));
    run.kill();
    database.run(&format!("select pg_terminate_backend(pid, 10000) {build}"));
    let valid = "select indisvalid from pg_index where indexrelid = 't_x'::regclass";
    assert!(!database.value::<bool>(valid), "the build stopped half-way");
    open.commit().expect("committed");

    let again = up(&database, &pack).end().ok();
    assert!(again.stderr.contains("public.t_x is left over from a broken build"), "{}", again.stderr);
    assert!(database.value::<bool>(valid));
}

#[test]
fn sigterm_and_sigint_let_the_version_at_work_end() {
    for signal in ["TERM", "INT"] {
        let (database, pack) = (database(), slow());
        let run = up_until_stopped(&database, &pack);
        run.signal(signal);
        run.until("Stopping after this running migration");
        let_go(&database);
        run.end().exits(130).says(&["stopped before version 2", "run the same command to go on"]);
        assert_eq!(states(&database), ["applied", "pending"]);
        assert_eq!(database.column::<String>("select state from strata.run"), ["cancelled"]);
        assert_eq!(up(&database, &pack).end().ok().stdout, "1 version applied\n");
    }
}

#[test]
fn a_second_signal_cancels_the_statement_and_undoes_the_step() {
    let (database, pack) = (database(), slow());
    let run = up_until_stopped(&database, &pack);
    run.signal("TERM");
    run.until("Stopping after this running migration");
    run.signal("TERM");
    run.end().exits(130).says(&["version 1 (slow) step 1", "cancelled"]);
    assert!(database.value::<bool>("select to_regclass('slow') is null"), "the step is undone");
    assert_eq!(states(&database), ["applying", "pending"]);
    let_go(&database);
    up(&database, &pack).end().ok();
}

#[test]
fn a_step_that_meets_a_locked_table_steps_back_and_tries_again() {
    let database = Database::installed();
    database.run("create table t (x int)");
    let pack = Folder::of(&[("001_column.up.sql", "alter table t add y int")]);
    let mut holder = database.connect();
    let mut open = holder.transaction().expect("a transaction");
    open.batch_execute("lock table t in access share mode").expect("a lock");
    let run = Strata::on(&database).path(pack.path()).start(&["up", "--table-lock-timeout", "100"]);
    run.until("a lock was not to be had; try 2 follows");
    open.rollback().expect("released");
    run.end().ok();
}

#[test]
fn a_run_that_was_taken_over_in_the_middle_of_a_version_commits_nothing_of_it() {
    let (database, pack) = (database(), slow());
    let run = up_until_stopped(&database, &pack);
    database.run("update strata.run set attempt = attempt + 1");
    let_go(&database);
    run.end().exits(6).says(&["another executor has taken the run over"]);
    assert!(database.value::<bool>("select to_regclass('slow') is null"));
    for call in ["begin_step(id, 1, 1, 1, 1, 'transaction', '', '', true)", "finish_step(id, 1, 1, 1, true)"]
    {
        let (code, message) = database.refusal(&format!("select strata.{call} from strata.run"));
        assert_eq!((code.as_str(), message.as_str()), ("ST006", "another executor has taken the run over"));
    }
}
