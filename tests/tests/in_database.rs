//! Runs in the database: a pushed pack, moved by a background worker. Whatever happens to the worker, the state is as true
//! as the command line's, and the next run ends where an undisturbed one would.

use std::time::{Duration, Instant};
use strata_tests::aurum;
use strata_tests::{Database, Folder, Strata, dump, vectors};

const SLOW: &str = "create table slow (x int); insert into slow values (1); select pg_sleep(60)";

fn push(database: &Database, pack: &Folder) {
    Strata::on(database).path(pack.path()).run(&["push"]).ok();
}

/// Starts a run of the pack called `pack`.
fn start(database: &Database, arguments: &str) -> String {
    database.value(&format!("select strata.start_run('pack'{arguments})::text"))
}

fn state(database: &Database, run: &str) -> String {
    database.value(&format!("select state from strata.run where id = '{run}'"))
}

/// Waits until a run has ended, or waits for something; the session holds no snapshot in between.
fn ended(database: &Database, run: &str) -> String {
    database.until(&format!("select state not in ('queued', 'running') from strata.run_progress('{run}')"));
    database.until("select not exists (select from pg_stat_activity where backend_type = 'strata run' and datname = current_database())");
    state(database, run)
}

#[track_caller]
fn succeeds(database: &Database, run: &str) {
    let state = ended(database, run);
    let told: Option<String> = database.value(&format!("select message from strata.run where id = '{run}'"));
    assert_eq!(state, "succeeded", "{told:?}");
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

fn until_asleep(database: &Database) {
    database.until("select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')");
}

/// Cancels a run and says how long that took.
fn cancel(database: &Database, run: &str) -> Duration {
    let since = Instant::now();
    assert!(database.value::<bool>(&format!("select strata.cancel_run('{run}')")));
    assert_eq!(ended(database, run), "cancelled");
    since.elapsed()
}

/// What a failure leaves behind, without ids and clocks.
fn remains(database: &Database) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "(select version, name, state, checksum from strata.migration order by version)",
        "(select direction, state, attempt, sqlstate, message from strata.run order by requested_at)",
        "(select version, number, steps, kind, summary, checksum, state, attempt, sqlstate, message, detail, hint, context from strata.run_step order by version, number)",
        "(select version, name, direction, event, attempt, step, sqlstate, message from strata.history order by id)",
    ] {
        all.extend(database.column::<String>(&format!("select x::text from {table} x")));
    }
    all
}

#[test]
fn a_pushed_pack_runs_without_its_files_up_and_down() {
    let database = Database::installed();
    let pack = Folder::of(&[
        (
            "001_t.up.sql",
            "create table t (id int primary key, x int); insert into t select g, 0 from generate_series(1, 1000) g",
        ),
        ("001_t.down.sql", "drop table t"),
        (
            "001_t.verify.sql",
            "select 'rows' as check_name, '1000' as expected, count(*)::text as actual, count(*) = 1000 as ok from t",
        ),
        ("002_index.up.sql", "create index concurrently t_x on t (x); vacuum t"),
        ("002_index.down.sql", "drop index concurrently t_x"),
        (
            "003_fill.up.sql",
            "call strata.backfill('fill', 't', 'id', 'update t set x = id where id between $1::int and $2::int', 100)",
        ),
        ("003_fill.down.sql", "update t set x = 0"),
    ]);
    push(&database, &pack);
    let planned: Vec<String> =
        database.column("select version || direction || step || kind from strata.plan('pack')");
    assert_eq!(
        planned,
        ["1up1transaction", "2up1alone", "2up2alone", "2up3verify", "3up1alone", "3up2verify"]
    );
    assert!(database.value::<bool>("select bool_and(ok) and count(*) > 4 from strata.preflight('pack')"));
    let before = dump(&database);

    succeeds(&database, &start(&database, ""));
    assert_eq!(states(&database), ["applied", "applied", "applied"]);
    assert_eq!(database.value::<i64>("select sum(x) from t"), 500_500);
    assert_eq!(database.column::<i64>("select version from strata.verify('pack') where ok"), [1]);
    assert_eq!(database.value::<i64>("select count(*) from strata.plan('pack')"), 0);

    let undisturbed = Database::installed();
    Strata::on(&undisturbed).path(pack.path()).run(&["up"]).ok();
    assert_eq!(dump(&database), dump(&undisturbed), "the same schema as by the command line");

    succeeds(&database, &start(&database, ", target => 1"));
    assert_eq!(states(&database), ["applied", "pending", "pending"]);
    succeeds(&database, &start(&database, ", target => 0"));
    assert_eq!(states(&database), ["pending", "pending", "pending"]);
    assert_eq!(dump(&database), before, "as if nothing had been");
}

#[test]
fn a_run_starts_when_its_caller_commits_and_never_if_not() {
    let database = Database::installed();
    push(&database, &Folder::of(&[("001_a.up.sql", "create table a ()")]));
    let mut caller = database.connect();
    let mut open = caller.transaction().expect("a transaction");
    open.execute("select strata.start_run('pack')", &[]).expect("started");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(states(&database), ["pending"], "the caller has not committed");
    open.rollback().expect("rolled back");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(states(&database), ["pending"]);
    assert_eq!(database.value::<i64>("select count(*) from strata.run"), 0);

    let mut open = caller.transaction().expect("a transaction");
    open.execute("select strata.start_run('pack')", &[]).expect("started");
    open.commit().expect("committed");
    database.until("select state = 'succeeded' from strata.run");
}

#[test]
fn a_failure_leaves_the_same_state_as_the_command_line() {
    let failing = "create table half (x int);\ncreate function f() returns int language plpgsql as $$ begin raise exception 'no' using detail = 'd', hint = 'h', errcode = 'ZZ123'; end $$;\nselect f()";
    let pack = Folder::of(&[
        ("001_a.up.sql", "create table a (x int)"),
        ("002_b.up.sql", "create index concurrently a_x on a (x); select 1"),
        ("003_c.up.sql", failing),
    ]);
    let (inside, outside) = (Database::installed(), Database::installed());
    push(&inside, &pack);
    assert_eq!(ended(&inside, &start(&inside, "")), "failed");
    Strata::on(&outside).path(pack.path()).run(&["up"]).exits(1);
    assert_eq!(remains(&inside), remains(&outside));
    assert_eq!(inside.column::<String>("select sqlstate from strata.run"), ["ZZ123"]);
    let context: Vec<String> = inside.column("select context from strata.run_step where state = 'failed'");
    assert_eq!(context, ["PL/pgSQL function f() line 1 at RAISE"]);
    assert!(inside.value::<bool>("select to_regclass('half') is null"), "the step is undone");

    let verified = Folder::of(&[
        ("001_a.up.sql", "create table a (x int)"),
        (
            "001_a.verify.sql",
            "select 'rows' as check_name, '1' as expected, count(*)::text as actual, count(*) = 1 as ok from a",
        ),
    ]);
    let (inside, outside) = (Database::installed(), Database::installed());
    push(&inside, &verified);
    assert_eq!(ended(&inside, &start(&inside, "")), "failed");
    Strata::on(&outside).path(verified.path()).run(&["up"]).exits(4);
    assert_eq!(remains(&inside), remains(&outside));
}

#[test]
fn a_failed_run_is_resumed_where_it_failed() {
    let database = Database::installed();
    let pack = Folder::of(&[(
        "001_a.up.sql",
        "create table a (x int); create index concurrently a_x on a (x); insert into b values (1)",
    )]);
    push(&database, &pack);
    let run = start(&database, "");
    assert_eq!(ended(&database, &run), "failed");
    assert_eq!(states(&database), ["applying"]);
    database.run("create table b (x int)");
    let same: String = database.value(&format!("select strata.resume_run('{run}')::text"));
    assert_eq!(same, run);
    succeeds(&database, &run);
    assert_eq!(database.column::<i32>("select attempt from strata.run"), [2]);
    assert_eq!(database.refusal(&format!("select strata.resume_run('{run}')")).0, "55000");
    // Without resume_run: asked for again, it goes on too.
    let told: Vec<Option<bool>> = database.column("select success from strata.migration_history order by id");
    assert_eq!(told, [Some(false), Some(true)]);
}

#[test]
fn a_cancel_arrives_within_a_second_while_a_statement_sleeps() {
    let database = Database::installed();
    push(&database, &Folder::of(&[("001_slow.up.sql", SLOW), ("002_more.up.sql", "create table more ()")]));
    let run = start(&database, "");
    until_asleep(&database);
    let took = cancel(&database, &run);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(database.value::<bool>("select to_regclass('slow') is null"), "the step is undone");
    assert_eq!(states(&database), ["applying", "pending"]);
    let step: Vec<String> = database.column("select state || ' ' || sqlstate from strata.run_step");
    assert_eq!(step, ["failed 57014"]);
    assert!(
        !database.value::<bool>(&format!("select strata.cancel_run('{run}')")),
        "nothing is left to stop"
    );

    push(
        &database,
        &Folder::of(&[
            ("001_slow.up.sql", &SLOW.replace("60", "0")),
            ("002_more.up.sql", "create table more ()"),
        ]),
    );
    assert_eq!(start(&database, ""), run, "the same run goes on");
    succeeds(&database, &run);
}

#[test]
fn a_cancel_arrives_within_a_second_while_an_index_is_built() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_t.up.sql", "create table t (x int); insert into t select generate_series(1, 100)"),
        ("002_index.up.sql", "create index concurrently t_x on t (x)"),
    ]);
    push(&database, &pack);
    succeeds(&database, &start(&database, ", target => 1"));
    let mut writer = database.connect();
    let mut open = writer.transaction().expect("a transaction");
    open.execute("insert into t values (0)", &[]).expect("a row");
    let run = start(&database, "");
    let waits =
        format!("select waiting_for like 'pid %' and phase is not null from strata.run_progress('{run}')");
    database.until(&format!("select coalesce(({waits}), false)"));
    let took = cancel(&database, &run);
    assert!(took < Duration::from_secs(1), "{took:?}");
    open.commit().expect("committed");
    let valid = "select indisvalid from pg_index where indexrelid = 't_x'::regclass";
    assert!(!database.value::<bool>(valid), "the build stopped half-way");
    database.run(&format!("select strata.resume_run('{run}')"));
    succeeds(&database, &run);
    assert!(database.value::<bool>(valid));
    let told: Vec<String> = database.column("select text from strata.run_event where kind = 'repair'");
    assert_eq!(told, ["index public.t_x is left over from a broken build"]);
}

#[test]
fn a_plain_cancel_or_a_timeout_is_a_failure_and_no_order() {
    let database = Database::installed();
    push(&database, &Folder::of(&[("001_slow.up.sql", "set statement_timeout = 200; select pg_sleep(60)")]));
    let run = start(&database, "");
    assert_eq!(ended(&database, &run), "failed");
    let told: Vec<String> = database.column("select sqlstate || ' ' || message from strata.run");
    assert_eq!(told, ["57014 canceling statement due to statement timeout"]);
}

#[test]
fn a_run_that_waits_for_the_pack_can_be_cancelled() {
    let database = Database::installed();
    push(&database, &Folder::of(&[("001_a.up.sql", "create table a ()")]));
    let mut other = database.connect();
    let mut caller = database.connect();
    let mut open = caller.transaction().expect("a transaction");
    let run: String = open.query_one("select strata.start_run('pack')::text", &[]).expect("started").get(0);
    // Between the commit and the worker's first try somebody else takes the pack.
    let take = "select pg_advisory_lock(hashtextextended('strata/pack', 0))";
    let taker = std::thread::spawn(move || {
        other.batch_execute(take).expect("taken");
        other
    });
    std::thread::sleep(Duration::from_millis(200));
    open.commit().expect("committed");
    let other = taker.join().expect("taken");
    if state(&database, &run) == "queued" {
        let took = cancel(&database, &run);
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(states(&database), ["pending"]);
    }
    drop(other);
}

#[test]
fn a_run_whose_worker_was_ended_is_resumed_to_the_same_schema() {
    let pack = Folder::of(&[
        (
            "001_t.up.sql",
            "create table t (id int primary key, touched int not null default 0); insert into t select generate_series(1, 300)",
        ),
        (
            "002_count.up.sql",
            "call strata.backfill('count', 't', 'id', 'update t set touched = touched + 1 from (select pg_sleep(0.1)) s where id between $1::int and $2::int', 10, target => null)",
        ),
        ("003_index.up.sql", "create index concurrently t_touched on t (touched); create table more ()"),
    ]);
    let database = Database::installed();
    push(&database, &pack);
    let run = start(&database, "");
    database.until("select exists (select from strata.backfill_cursor where rows between 30 and 150)");
    assert_eq!(
        database.refusal(&format!("select strata.resume_run('{run}')")).0,
        "55P03",
        "a living executor is left alone"
    );
    database.run("select pg_terminate_backend(pid, 10000) from pg_stat_activity where backend_type = 'strata run' and datname = current_database()");
    let told: Vec<String> =
        database.column(&format!("select state || ' ' || alive from strata.run_progress('{run}')"));
    assert_eq!(told, ["running false"]);
    database.run(&format!("select strata.resume_run('{run}')"));
    succeeds(&database, &run);
    let touched: Vec<i64> = database.column("select count(*) from t where touched = 1");
    assert_eq!(touched, [300], "no batch was repeated");
    let undisturbed = Database::installed();
    push(&undisturbed, &pack);
    succeeds(&undisturbed, &start(&undisturbed, ""));
    assert_eq!(dump(&database), dump(&undisturbed));
}

/// A role that may start runs and nothing else, and a session of it.
fn operator(database: &Database) -> (String, postgres::Client) {
    let role = format!("{}_operator", database.name());
    database.run(&format!(
        "create role {role}; grant usage on schema strata to {role}; grant create on schema public to {role};
         grant execute on function strata.start_run(text, bigint, int, boolean, jsonb), strata.run_progress(uuid) to {role}"
    ));
    let mut session = database.connect();
    session.batch_execute(&format!("set role {role}")).expect("a superuser may");
    (role, session)
}

fn started_by(session: &mut postgres::Client) -> String {
    session.query_one("select strata.start_run('pack')::text", &[]).expect("started").get(0)
}

fn forget(database: &Database, role: &str) {
    database.run(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn a_run_has_the_rights_of_its_caller() {
    let database = Database::installed();
    database.run("create table secret (x int)");
    push(
        &database,
        &Folder::of(&[
            ("001_a.up.sql", "create table mine (x int)"),
            ("002_b.up.sql", "alter table secret add y int"),
        ]),
    );
    let (role, mut session) = operator(&database);
    let run = started_by(&mut session);
    assert_eq!(ended(&database, &run), "failed");
    let told: Vec<String> = database.column("select sqlstate || ' ' || requested_by from strata.run");
    assert_eq!(told, [format!("42501 {role}")]);
    assert_eq!(states(&database), ["applied", "applying"]);
    let owner: String = database.value("select tableowner from pg_tables where tablename = 'mine'");
    assert_eq!(owner, role);
    drop(session);
    forget(&database, &role);
}

#[test]
fn a_file_cannot_climb_out_of_its_role() {
    let superuser: String = Database::installed().value("select session_user::text");
    for escape in [
        "reset role; create table stolen as select * from secret".to_owned(),
        "reset session authorization; create table stolen as select * from secret".to_owned(),
        format!("set session authorization {superuser}; create table stolen as select * from secret"),
        format!("set role {superuser}; create table stolen as select * from secret"),
        // An operator and a function that our own bookkeeping would find first, if it looked there.
        "create function public.climb(text, text) returns boolean language plpgsql as $$ begin
             execute 'create table if not exists public.stolen as select * from secret'; return true; end $$;
         create operator public.= (leftarg = text, rightarg = text, function = public.climb);
         create function public.clock_timestamp() returns timestamptz language plpgsql as $$ begin
             execute 'create table if not exists public.stolen as select * from secret'; return pg_catalog.now(); end $$;
         set search_path = public, pg_catalog; select 1"
            .to_owned(),
    ] {
        let database = Database::installed();
        database.run("create table secret (x int)");
        push(&database, &Folder::of(&[("001_climb.up.sql", &escape)]));
        let (role, mut session) = operator(&database);
        let run = started_by(&mut session);
        ended(&database, &run);
        assert!(database.value::<bool>("select to_regclass('public.stolen') is null"), "{escape}");
        drop(session);
        forget(&database, &role);
    }
}

#[test]
fn nobody_may_start_runs_unless_somebody_says_so() {
    let database = Database::installed();
    let (role, mut session) = operator(&database);
    session.batch_execute("reset role").expect("reset");
    database.run(&format!("drop owned by {role}; grant usage on schema strata to {role}"));
    session.batch_execute(&format!("set role {role}")).expect("a superuser may");
    let id = "'00000000-0000-0000-0000-000000000000'";
    for call in [
        "push_pack('{}')".to_owned(),
        "plan('p')".into(),
        "preflight('p')".into(),
        "start_run('p')".into(),
        "verify('p')".into(),
        "force_version('p', 1, 'x')".into(),
        format!("run_progress({id})"),
        format!("cancel_run({id})"),
        format!("resume_run({id})"),
    ] {
        let sql = format!("select strata.{call}");
        let refused = strata_tests::database::refusal(session.batch_execute(&sql), &sql);
        assert_eq!(refused.0, "42501", "{sql}");
    }
    drop(session);
    forget(&database, &role);
}

#[test]
fn the_command_line_and_a_background_run_do_not_move_a_pack_together() {
    let database = Database::installed();
    let slow = SLOW.replace("60", "2");
    let pack = Folder::of(&[("001_slow.up.sql", &slow), ("002_more.up.sql", "create table more ()")]);
    push(&database, &pack);
    let first = Strata::on(&database).path(pack.path()).start(&["up"]);
    until_asleep(&database);
    let refused = database.refusal("select strata.start_run('pack')");
    assert!(refused.0 == "55P03" && refused.1.contains("is being moved by pid "), "{refused:?}");
    first.end().ok();

    let database = Database::installed();
    push(&database, &pack);
    let run = start(&database, "");
    until_asleep(&database);
    let waited = Strata::on(&database).path(pack.path()).run(&["up"]).ok();
    assert_eq!(waited.stdout, "no change\n");
    assert!(waited.stderr.contains("waiting: the pack is being moved by pid "), "{}", waited.stderr);
    succeeds(&database, &run);
    assert_eq!(database.column::<i32>("select x from slow"), [1]);
    assert_eq!(database.value::<i64>("select count(*) from strata.run"), 1);
}

#[test]
fn the_command_line_goes_on_where_a_worker_died() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_slow.up.sql", SLOW)]);
    push(&database, &pack);
    start(&database, "");
    until_asleep(&database);
    database.run("select pg_terminate_backend(pid, 10000) from pg_stat_activity where backend_type = 'strata run' and datname = current_database()");
    pack.write("001_slow.up.sql", &SLOW.replace("60", "0"));
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
    let runs: Vec<String> = database.column("select state || attempt from strata.run");
    assert_eq!(runs, ["succeeded2"]);
}

#[test]
fn a_run_of_the_command_line_can_be_cancelled_from_the_database() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_slow.up.sql", SLOW)]);
    let run = Strata::on(&database).path(pack.path()).start(&["up"]);
    until_asleep(&database);
    assert!(database.value::<bool>("select strata.cancel_run(id) from strata.run"));
    run.end().exits(130).says(&["version 1 (slow) step 1", "cancelled"]);
    assert_eq!(database.column::<String>("select state from strata.run"), ["cancelled"]);
}

#[test]
fn a_wrong_pack_is_refused_with_what_is_wrong() {
    let database = Database::installed();
    let sha = |text: &str| database.value::<String>(&format!("select encode(sha256($s${text}$s$), 'hex')"));
    let pack = |name: &str, text: &str, sha: &str| {
        serde_json::json!({"name": "pack", "files": [{"name": name, "text": text, "sha256": sha}]})
            .to_string()
    };
    let refused = |json: String| database.refusal(&format!("select strata.push_pack($s${json}$s$)"));
    assert_eq!(refused("[]".into()).0, "22023");
    assert_eq!(refused(pack("001_a.up.sql", "select 1", &sha("select 2"))).0, "ST021");
    assert_eq!(refused(pack("001_a.ups.sql", "select 1", &sha("select 1"))).0, "ST021");
    assert_eq!(refused(pack("001_a.up.sql", "rollback", &sha("rollback"))).0, "ST021");
    assert_eq!(database.value::<i64>("select count(*) from strata.pack"), 0);

    let folder = Folder::of(&[("001_a.up.sql", "create table a ()")]);
    push(&database, &folder);
    succeeds(&database, &start(&database, ""));
    folder.write("001_a.up.sql", "create table b ()");
    let changed = Strata::on(&database).path(folder.path()).run(&["push"]).exits(7);
    changed.says(&["001_a.up.sql has changed"]);
    let direct = refused(pack("001_a.up.sql", "create table b ()", &sha("create table b ()")));
    assert_eq!(direct.0, "ST007");
    assert_eq!(database.refusal("select strata.start_run('nobody')").0, "42704");
    assert_eq!(database.refusal("select strata.start_run('pack', 7)").0, "22023");
    assert_eq!(database.refusal("select strata.start_run('pack', variables => '{\"x\": 1}')").0, "22023");
}

#[test]
fn a_forced_version_is_audited() {
    let database = Database::installed();
    let pack =
        Folder::of(&[("001_a.up.sql", "create table a ()"), ("002_b.up.sql", "create table nowhere.b ()")]);
    push(&database, &pack);
    assert_eq!(ended(&database, &start(&database, "")), "failed");
    assert_eq!(states(&database), ["applied", "applying"]);
    assert_eq!(database.refusal("select strata.force_version('pack', 2, ' ')").0, "22023");
    assert_eq!(database.refusal("select strata.force_version('pack', 3, 'x')").0, "42704");
    assert_eq!(database.value::<i32>("select strata.force_version('pack', 2, 'made by hand')"), 1);
    assert_eq!(states(&database), ["applied", "applied"]);
    let told: Vec<String> = database.column(
        "select version || ' ' || direction || ' ' || message from strata.history where event = 'forced'",
    );
    assert_eq!(told, ["2 up made by hand"]);
    assert_eq!(database.value::<i32>("select strata.force_version('pack', 0, 'anew')"), 2);
    assert_eq!(states(&database), ["pending", "pending"]);
}

#[test]
fn the_search_path_of_the_caller_holds_and_rows_of_files_go_nowhere() {
    let database = Database::installed();
    push(
        &database,
        &Folder::of(&[
            ("001_a.up.sql", "create table a (x int); select generate_series(1, 1000)"),
            ("002_b.up.sql", "set search_path = public; create table b (x int)"),
            ("003_c.up.sql", "create table c (x int); create index concurrently c_x on c (x)"),
        ]),
    );
    database.run("create schema app; set search_path = app");
    succeeds(&database, &start(&database, ""));
    let tables: Vec<String> = database.column("select schemaname || '.' || tablename from pg_tables where tablename in ('a', 'b', 'c') order by tablename");
    assert_eq!(tables, ["app.a", "public.b", "app.c"]);

    push(
        &database,
        &Folder::of(&[
            ("001_a.up.sql", "create table a (x int); select generate_series(1, 1000)"),
            ("002_b.up.sql", "set search_path = public; create table b (x int)"),
            ("003_c.up.sql", "create table c (x int); create index concurrently c_x on c (x)"),
            ("004_d.up.sql", "do $$ begin execute 'copy a to stdout'; end $$"),
        ]),
    );
    assert_eq!(ended(&database, &start(&database, "")), "failed");
    let code: Vec<Option<String>> = database.column("select sqlstate from strata.run where state = 'failed'");
    assert_eq!(code, [Some("0A000".to_owned())]);
}

#[test]
fn the_whole_aurum_pack_runs_in_the_database() {
    let database = aurum::application();
    Strata::on(&database).path(&aurum::folder()).run(&["push"]).ok();
    let variables = r#"{"embedding_model": "all-MiniLM-L6-v2", "embedding_provider": "local", "embedding_dimensions": 384}"#;
    let run: String = database
        .value(&format!("select strata.start_run('aurum', to_phase => 8, variables => '{variables}')::text"));
    assert_eq!(ended(&database, &run), "waiting", "for the gate of the embeddings");
    vectors::complete_all(&database, 384);
    database.run(&format!("select strata.resume_run('{run}')"));
    succeeds(&database, &run);
    vectors::complete_all(&database, 384);
    assert_eq!(database.value::<i64>("select strata.migration_version('aurum')"), aurum::VERSIONS);
    assert!(database.value::<bool>("select bool_and(ok) from strata.verify('aurum')"));
    assert_eq!(dump(&database), dump(&aurum::migrated()), "the same schema as by the command line");
}
