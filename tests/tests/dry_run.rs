//! A dry run tries everything that a run would do and leaves nothing of it, whatever the files say; it tells the truth about
//! what it has not tried; and it lets nobody wait.

use strata_tests::database::unique;
use strata_tests::dump::everything;
use strata_tests::environment::programs;
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Outcome, Strata, aurum, vectors};

/// What a real application has before any of this.
const BEFORE: &str = "create table public.t (id int primary key, v text);
    insert into public.t select i, 'v' || i from generate_series(1, 100) i;
    insert into public.t values (1000, 'v1');
    create index t_v on public.t (v);
    create type public.mood as enum ('sad');
    create procedure public.commits() language plpgsql as $$ begin insert into t values (2000, 'x'); commit; end $$;
    create sequence public.s start 7";

fn database() -> Database {
    let database = Database::installed();
    database.run(BEFORE);
    database
}

/// A dry run of one version, which must leave everything as it was.
#[track_caller]
fn tried(database: &Database, up: &str, words: &[&str]) -> Outcome {
    tried_with(database, &database.url(), &programs(), (up, words))
}

/// The same on a URL and with these programs at hand.
#[track_caller]
fn tried_with(database: &Database, url: &str, path: &str, (up, words): (&str, &[&str])) -> Outcome {
    let pack = Folder::of(&[("001_a.up.sql", up)]);
    let before = everything(database);
    let strata = Strata::at(url).path(pack.path()).env("PATH", path);
    let outcome = strata.run(&[&["up", "--dry-run"], words].concat());
    assert_same(up, &before, &everything(database));
    outcome
}

/// What each step came to.
fn results(outcome: &Outcome) -> Vec<String> {
    let steps = outcome.json()["steps"].as_array().expect("steps").clone();
    steps.iter().map(|step| step["result"].as_str().expect("a text").to_owned()).collect()
}

/// Waits until the file of the test sleeps.
fn asleep(database: &Database) {
    database.until(
        "select exists (select from pg_stat_activity
         where datname = current_database() and query like 'select pg_sleep%' and state = 'active')",
    );
}

#[test]
fn a_file_cannot_make_anything_stay() {
    let database = database();
    let files = [
        ("begin; create table a (); commit; create table b ();", 2, 2),
        ("create table a (); create index concurrently a_i on public.t (id, v); select 1", 3, 3),
        ("drop index concurrently t_v; vacuum public.t; create table a ()", 3, 2),
        ("create database strata_never; alter system set work_mem = '5MB'; create table a ()", 3, 1),
        ("select setval('s', 5000); select pg_notify('c', 'x'); select pg_advisory_lock(5)", 1, 1),
        ("set role pg_read_all_data;", 1, 1),
        ("set session characteristics as transaction read only; select 1", 1, 1),
        (
            "set statement_timeout = 0; set lock_timeout = 0; update public.t set v = 'y'; truncate public.t",
            1,
            1,
        ),
        ("create temp table x on commit drop as select 1;\n-- strata: new transaction\nselect 1", 2, 2),
        ("drop schema strata cascade", 0, 0),
        ("create role strata_never; grant strata_never to current_user", 1, 1),
    ];
    for (file, steps, passed) in files {
        let outcome = tried(&database, file, &["--json"]);
        if steps == 0 {
            outcome.exits(1);
            continue;
        }
        let outcome = outcome.ok();
        let results = results(&outcome);
        let good = results.iter().filter(|result| *result == "passed").count();
        // The last step of a version that does not end with a transaction marks it.
        assert!(results.len() == steps || results.len() == steps + 1, "{file}: {results:?}");
        assert_eq!(good - (results.len() - steps), passed, "{file}: {results:?}");
    }
    assert_eq!(database.value::<i64>("select last_value from s"), 7);
    assert_eq!(database.value::<i64>("select count(*) from pg_database where datname = 'strata_never'"), 0);
    assert_eq!(database.value::<i64>("select count(*) from pg_roles where rolname = 'strata_never'"), 0);
}

/// What one transaction cannot show.
const BEYOND: [&str; 5] = [
    "call public.commits(); create table a ()",
    "do $$ begin create table a (); commit; end $$; create table b ()",
    "do $$ begin perform setval('s', 9); end $$; create table b ()",
    "alter type public.mood add value 'glad';\n-- strata: new transaction\nselect 'glad'::public.mood",
    "reindex table concurrently public.t; vacuum full public.t; cluster; create table b ()",
];

#[test]
fn what_one_transaction_cannot_show_is_tried_on_a_copy_of_the_schema() {
    let database = database();
    for file in BEYOND {
        let outcome = tried(&database, file, &["--json"]).ok();
        let results = results(&outcome);
        assert!(results.contains(&"passed on the schema".to_owned()), "{file}: {results:?}");
        assert!(!results.contains(&"not tried".to_owned()), "{file}: {results:?}");
    }
    let text = tried(&database, BEYOND[0], &[]).ok();
    assert!(text.stdout.contains("ok, no rows"), "{}", text.stdout);
}

#[test]
fn what_a_function_says_of_the_whole_server_is_named_and_not_done_on_the_copy() {
    let database = database();
    let role = unique("strata_never");
    let hidden = format!("commit; execute 'create ro' || 'le {role} password ''hush'''; commit");
    database.run(&format!("create procedure public.hides() language plpgsql as $$ begin {hidden}; end $$"));
    let block = |says: &str| format!("do $$ begin commit; execute {says}; commit; end $$; create table b ()");
    let cases = [
        (
            "call public.hides(); create table b ()".to_owned(),
            format!("create role {role} is about the whole server"),
        ),
        (
            block("'al' || 'ter role current_user set work_mem = 1000'"),
            "alter role is about the whole server".to_owned(),
        ),
        (
            block("'alter data' || 'base postgres set work_mem = 1000'"),
            "alter database postgres is about".to_owned(),
        ),
    ];
    for (file, what) in cases {
        let outcome = tried(&database, &file, &["--json"]).exits(29).says(&["steps were not tried"]);
        assert_eq!(results(&outcome)[0], "not tried", "{file}");
        assert!(
            outcome.stdout.contains(&what) && !outcome.stdout.contains("hush"),
            "{file}: {}",
            outcome.stdout
        );
        let text = tried(&database, &file, &[]).exits(29);
        assert!(text.stdout.contains(&what), "{}", text.stdout);
    }
    assert_eq!(database.value::<i64>(&format!("select count(*) from pg_roles where rolname = '{role}'")), 0);
    // What is said of the copy itself goes with it.
    let own = block("format('alter data' || 'base %I set work_mem = 1000', current_database())");
    assert!(results(&tried(&database, &own, &["--json"]).ok()).contains(&"passed on the schema".to_owned()));
}

#[test]
fn a_session_that_spares_the_server_says_what_it_refuses_and_lets_everything_else_through_whole() {
    let database = Database::installed();
    database.run("select strata.spare_server(); select strata.spare_server(); create table a (); comment on table a is 'a'");
    for (statement, says) in [
        ("create role strata_never", "create role strata_never"),
        ("create database strata_never", "create database"),
        ("alter role current_user set work_mem = 1000", "alter role"),
        ("comment on tablespace pg_default is 'x'", "comment"),
        ("create tablespace strata_never location '/nowhere'", "create tablespace"),
        ("do $$ begin drop owned by current_user; end $$", "drop owned"),
    ] {
        let refused = database.refusal(statement);
        let message = format!("{says} is about the whole server, where a dry run changes nothing");
        assert_eq!(refused, ("ST029".to_owned(), message), "{statement}");
    }
    let own = "do $$ begin raise exception 'own' using errcode = 'P0042', constraint = 'c'; end $$";
    let refused = database.refusal(own);
    assert_eq!(refused, ("P0042".to_owned(), "own".to_owned()));
}

#[test]
fn what_fails_only_outside_of_a_transaction_is_found_on_the_copy() {
    let database = database();
    database.run("create table parted (id int) partition by range (id)");
    let file = "create index concurrently i on public.parted (id)";
    let outcome = tried(&database, file, &["--json"]).exits(1).says(&["0A000", "partitioned"]);
    assert_eq!(results(&outcome)[0], "failed");
    let file = "call public.commits(); select * from nowhere";
    tried(&database, file, &[]).exits(1).says(&["42P01", "step 2"]);
    // A server-wide statement inside a block is left out there too, and what misses it is not judged.
    let file = "call public.commits(); do $$ begin create role strata_never; end $$; create table b ()";
    tried(&database, file, &["--json"]);
    assert_eq!(database.value::<i64>("select count(*) from pg_roles where rolname = 'strata_never'"), 0);
}

#[test]
fn what_commits_by_itself_is_not_called_passed_where_there_is_no_copy() {
    let database = database();
    let role = unique("strata_plain");
    database.run(&format!(
        "create role {role} login nosuperuser nocreatedb password 'p'; grant create on schema public to {role};
         alter table public.t owner to {role}; grant execute on procedure public.commits to {role};
         alter sequence public.s owner to {role}; alter type public.mood owner to {role};
         select strata.grant_operator('{role}')"
    ));
    let (_, place) =
        database.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a URL");
    let plain = format!("postgres://{role}:p@{place}");
    for file in &BEYOND[..4] {
        for (url, path, why) in [
            (database.url(), "/nowhere", "pg_dump: "),
            (plain.clone(), programs().as_str(), "create database: permission"),
        ] {
            let outcome = tried_with(&database, &url, path, (file, &["--json"]));
            let outcome = outcome.exits(29).says(&["steps were not tried"]);
            assert!(outcome.stderr.contains(why), "{file}: {}", outcome.stderr);
            assert_eq!(results(&outcome).last().map(String::as_str), Some("not tried"), "{file}");
            assert_eq!(outcome.json()["would_pass"], false, "{file}");
        }
    }
    // What changes no row does not end it, and was not tried either.
    let skipped = tried_with(&database, &database.url(), "/nowhere", (BEYOND[4], &["--json"]));
    let skipped =
        skipped.exits(29).says(&["were not tried: it cannot run inside a transaction, and changes no row"]);
    assert_eq!(results(&skipped).iter().filter(|result| *result == "not tried").count(), 3);
    database
        .run(&format!("reassign owned by {role} to current_user; drop owned by {role}; drop role {role}"));
}

#[test]
fn a_copy_whose_dry_run_was_killed_is_dropped_by_the_next() {
    let database = database();
    let sleep = "commit; perform pg_sleep(3601)";
    database.run(&format!("create procedure public.sleeps() language plpgsql as $$ begin {sleep}; end $$"));
    let pack = Folder::of(&[("001_a.up.sql", "call public.sleeps()")]);
    let before = everything(&database);
    let running =
        Strata::on(&database).path(pack.path()).env("PATH", &programs()).start(&["up", "--dry-run"]);
    let asleep = "from pg_stat_activity where query = 'call public.sleeps()' and datname ~ '^strata_shadow_' and state = 'active'";
    database.until(&format!("select exists (select {asleep})"));
    let copy: String = database.value(&format!("select datname::text {asleep}"));
    running.kill();
    // Until the server has noticed that the client is gone, the copy is somebody's.
    let pid = copy.split('_').nth(2).expect("the process is in the name").to_owned();
    database.until(&format!("select not exists (select from pg_stat_activity where pid = {pid})"));
    tried(&database, BEYOND[0], &[]).ok();
    assert_eq!(
        database.value::<i64>(&format!("select count(*) from pg_database where datname = '{copy}'")),
        0
    );
    assert_same("a dry run that was killed", &before, &everything(&database));
}

#[test]
fn a_failure_is_the_one_that_a_run_would_meet() {
    let database = database();
    let cases = [
        (
            "create table a ();\n-- strata: new transaction\nselect 1;\nselect 1/0",
            1,
            "22012",
            "001_a.up.sql line 4",
        ),
        ("create unique index concurrently u on public.t (v)", 1, "23505", "step 1"),
        ("alter table public.t add check (id < 1000)", 1, "23514", "step 1"),
        ("select 1;\nvacuum;\n-- strata: no transaction\nselect * from nowhere", 1, "42P01", "step 3"),
    ];
    for (file, exit, code, place) in cases {
        let pack = Folder::of(&[("001_a.up.sql", file)]);
        let outcome = tried(&database, file, &["--json"]).exits(exit).says(&[place, code]);
        assert_eq!(outcome.json()["error"]["code"], code, "{file}");
        assert!(results(&outcome).contains(&"failed".to_owned()), "{file}");
        let real = Strata::on(&database).path(pack.path()).run(&["up"]).exits(exit);
        assert_eq!(real.error(), outcome.error(), "the run itself says the same");
        database.run("drop table if exists a; delete from strata.pack");
    }
}

#[test]
fn a_verification_that_would_fail_is_told() {
    let database = database();
    let pack = Folder::of(&[
        ("001_a.up.sql", "create table a ()"),
        (
            "001_a.verify.sql",
            "select 'rows' as check_name, '0' as expected, count(*)::text, count(*) = 0 from public.t",
        ),
    ]);
    let before = everything(&database);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--dry-run"]).exits(4).says(&["001_a.verify.sql", "expected 0, found 101"]);
    assert_same("a dry run", &before, &everything(&database));
}

#[test]
fn a_deferred_constraint_fails_at_the_step_whose_commit_would_fail() {
    let database = Database::installed();
    database.run(
        "create table p (id int primary key);
         create table c (id int primary key, p int references p initially deferred);",
    );
    // The child before its parent is what deferring is for, in the second transaction as in the first.
    let fine = "insert into c values (1, 1); insert into p values (1);\n-- strata: new transaction\n\
                insert into c values (2, 2); insert into p values (2); alter table c add column x int";
    tried(&database, &fine.replace("; alter table c add column x int", ""), &[]).ok();
    let bad = "insert into p values (1);\n-- strata: new transaction\ninsert into c values (1, 7);\n\
               -- strata: new transaction\nselect 1";
    let outcome = tried(&database, bad, &["--json"]).exits(1).says(&["23503", "step 2"]);
    assert_eq!(results(&outcome), ["passed", "failed", "not tried"]);
}

#[test]
fn it_says_what_each_step_locks_and_touches() {
    let database = database();
    let file = "update public.t set v = 'w';\n-- strata: new transaction\nalter table public.t add column n int;\n\
                create table a (); insert into public.t values (nextval('s') + 5000); drop index public.t_v";
    let outcome = tried(&database, file, &["--json"]).ok();
    let json = outcome.json();
    let locks = |step: usize| {
        let all = json["steps"][step]["locks"].as_array().expect("locks").clone();
        let text =
            |lock: &serde_json::Value| format!("{}: {}", lock["relation"], lock["mode"]).replace('"', "");
        all.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(json["steps"][0]["rows"], 101);
    assert_eq!(locks(0)[0], "public.t: row exclusive", "{:?}", locks(0));
    assert!(locks(1).contains(&"public.t: access exclusive".to_owned()), "{:?}", locks(1));
    assert!(locks(1).contains(&"public.t_v: access exclusive".to_owned()), "{:?}", locks(1));
    assert!(!locks(1).iter().any(|lock| lock.contains("public.a")), "nobody waits for what is new");
    assert_eq!(json["sequences"], serde_json::json!(["public.s"]));
    let text = tried(&database, file, &[]).ok();
    assert!(text.stdout.contains("public.t access exclusive"), "{}", text.stdout);
    assert!(
        text.stdout
            .ends_with("dry run: 1 version would be applied; all 2 steps passed; nothing was changed\n")
    );
}

#[test]
fn a_gate_that_would_stop_the_run_is_told() {
    let database = Database::installed();
    let toml = "name = \"g\"\ntitle = \"g\"\n[[phase]]\nnumber = 1\nname = \"one\"\nmigrations = [1]\n\
                [[phase]]\nnumber = 2\nname = \"two\"\nmigrations = [2]\nneeds = [\"signed\"]\n";
    let pack = Folder::of(&[
        ("pack.toml", toml),
        ("001_a.up.sql", "create table a ()"),
        ("002_b.up.sql", "create table b ()"),
    ]);
    let before = everything(&database);
    let strata = Strata::on(&database).path(pack.path());
    let outcome =
        strata.run(&["up", "--dry-run", "--json"]).exits(9).says(&["the gate of phase 2 (two) is not met"]);
    assert_eq!(results(&outcome), ["passed", "not tried"]);
    strata.run(&["up", "--dry-run", "--to-phase", "1"]).ok();
    assert_same("a dry run", &before, &everything(&database));
}

#[test]
fn strata_is_installed_for_the_dry_run_only() {
    let database = Database::empty();
    let pack = Folder::of(&[("001_a.up.sql", "select strata.version()"), ("001_a.down.sql", "select 1")]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--dry-run"]).ok();
    assert_eq!(database.value::<i64>("select count(*) from pg_extension where extname <> 'plpgsql'"), 0);
    strata.run(&["up"]).ok();
    assert_eq!(strata.run(&["up", "--dry-run"]).ok().stdout, "no change\n");
    let down = strata.run(&["down", "--dry-run", "--all"]).ok();
    assert!(down.stdout.contains("1 version would be taken back"), "{}", down.stdout);
    assert!(strata.run(&["goto", "0", "--dry-run"]).ok().stdout.contains("taken back"));
    assert_eq!(strata.run(&["version"]).ok().stdout, "1\n");
}

#[test]
fn the_whole_aurum_pack_is_tried_down_and_up_before_it_goes() {
    let database = aurum::migrated();
    let strata = aurum::strata(&database, aurum::Vectors::Local);
    let unchanged = |words: &[&str], exit: i32| {
        let before = everything(&database);
        let outcome = strata.run(&[words, &["--dry-run", "--json"]].concat()).exits(exit);
        assert_same(&words.join(" "), &before, &everything(&database));
        let results = results(&outcome);
        (outcome, results)
    };
    let (_, results) = unchanged(&["down", "--all"], 0);
    assert!(results.iter().all(|result| result == "passed") && results.len() > 11, "{results:?}");
    strata.run(&["down", "--all", "--yes"]).ok();

    let (outcome, results) = unchanged(&["up"], 9);
    outcome.says(&["the gate of phase 4"]);
    let gate = results.iter().position(|result| result != "passed").expect("the gate is shut");
    assert!(gate > 20 && results[gate..].iter().all(|result| result == "not tried"), "{results:?}");
    strata.run(&["up", "--to-phase", "3", "--quiet"]).ok();
    vectors::complete_all(&database, 384);

    let (_, results) = unchanged(&aurum::UP, 0);
    assert!(results.iter().all(|result| result == "passed"), "{results:?}");
    strata.run(&aurum::UP).ok();
    aurum::sign_contract(&strata);
    let (_, results) = unchanged(&["up"], 0);
    assert_eq!(results, ["passed"; 3]);
    strata.run(&["up"]).ok();
}

#[test]
fn a_backfill_is_tried_on_its_first_rows_and_what_wants_the_others_is_not_judged() {
    let database = Database::installed();
    database.run(
        "create table small (id int primary key, v int); insert into small select i from generate_series(1, 900) i;
         create table large (id int primary key, v int); insert into large select i from generate_series(1, 20000) i;",
    );
    let file = |table: &str| {
        format!(
            "call strata.backfill('j {table}', 'public.{table}', 'id',
                 $$update public.{table} set v = id where id between $1::int and $2::int$$);
             alter table public.{table} alter column v set not null"
        )
    };
    assert_eq!(results(&tried(&database, &file("small"), &["--json"]).ok()), ["passed"; 2]);
    let outcome = tried(&database, &file("large"), &["--json"]);
    let outcome = outcome.ok();
    assert_eq!(results(&outcome), ["passed", "passed on the schema"]);
    assert!(outcome.stdout.contains("tried on the first 10,000 rows"), "{}", outcome.stdout);
    let alone = tried_with(&database, &database.url(), "/nowhere", (&file("large"), &[]));
    alone.exits(29).says(&["a backfill was tried on its first rows only", "23502"]);
    // In a transaction of the file it could not commit in a run either.
    let begun = "begin; call strata.retire_columns('public.small', '{v}'); commit";
    tried(&database, begun, &[]).exits(1).says(&["2D000"]);
}

#[test]
fn it_gives_way_to_whoever_waits() {
    let database = database();
    // Longer than any test: only giving way ends it.
    let file = "alter table public.t add column n int;\nselect pg_sleep(3600)";
    let pack = Folder::of(&[("001_a.up.sql", file)]);
    let strata = Strata::on(&database).path(pack.path());
    let before = everything(&database);
    let running = strata.start(&["up", "--dry-run", "--dry-run-limit", "0", "--json"]);
    asleep(&database);
    let mut writer = database.connect();
    writer
        .batch_execute("begin; insert into public.t values (3000, 'written'); rollback")
        .expect("it gives way");
    let outcome = running.end().exits(29).says(&["it gave way to pid", "which waited", "for t;"]);
    assert_eq!(results(&outcome), ["not tried"]);
    assert_same("a dry run", &before, &everything(&database));
}

#[test]
fn it_holds_locks_no_longer_than_its_limit() {
    let database = database();
    let file = "alter table public.t add column n int;\nselect pg_sleep(3600)";
    tried(&database, file, &["--dry-run-limit", "1"]).exits(29).says(&["longer than 1 s", "--dry-run-limit"]);
    let slow = "do $$ begin set statement_timeout = 0; end $$; update public.t set v = 'z';\nselect pg_sleep(0.7);\n\
                select pg_sleep(0.7); select pg_sleep(0.7)";
    tried(&database, slow, &["--dry-run-limit", "1"]).exits(29).says(&["locks for"]);
}

#[test]
fn it_does_not_queue_behind_a_long_reader() {
    let database = database();
    let mut reader = database.connect();
    reader.batch_execute("begin; select * from public.t").expect("a reader");
    let file = "set lock_timeout = 0; alter table public.t add column n int";
    tried(&database, file, &[]).exits(29).says(&["a lock was not to be had within 200 ms"]);
    reader.batch_execute("rollback").expect("the reader ends");
    tried(&database, file, &[]).ok();
}

#[test]
fn one_that_is_killed_leaves_nothing_and_frees_its_locks() {
    let database = database();
    let file = "alter table public.t add column n int;\nselect pg_sleep(3600)";
    let pack = Folder::of(&[("001_a.up.sql", file)]);
    let strata = Strata::on(&database).path(pack.path());
    let before = everything(&database);
    let running = strata.start(&["up", "--dry-run", "--dry-run-limit", "0"]);
    asleep(&database);
    running.kill();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; insert into public.t values (3000, 'written'); rollback")
        .expect("it is gone");
    assert_same("a dry run that was killed", &before, &everything(&database));
}

#[test]
fn an_operator_stops_it() {
    let database = database();
    let pack = Folder::of(&[("001_a.up.sql", "update public.t set v = 'z'; select pg_sleep(3600)")]);
    let strata = Strata::on(&database).path(pack.path());
    let running = strata.start(&["up", "--dry-run"]);
    asleep(&database);
    running.signal("INT");
    running.end().exits(130).says(&["the dry run was stopped"]);
    assert_eq!(database.value::<i64>("select count(*) from public.t where v = 'z'"), 0);
}

#[test]
fn a_run_at_work_is_left_alone() {
    let database = database();
    let mut gate = database.connect();
    gate.batch_execute("select pg_advisory_lock(5)").expect("the gate is shut");
    let pack = Folder::of(&[("001_a.up.sql", "select pg_advisory_lock(5); create table a ()")]);
    let strata = Strata::on(&database).path(pack.path());
    let running = strata.start(&["up", "--table-lock-timeout", "60000"]);
    database.until(
        "select exists (select from pg_locks l join pg_database d on d.oid = l.database
         where l.locktype = 'advisory' and not l.granted and d.datname = current_database())",
    );
    strata
        .run(&["up", "--dry-run", "--lock-timeout", "0"])
        .exits(6)
        .says(&["pack pack is being moved by pid"]);
    gate.batch_execute("select pg_advisory_unlock(5)").expect("the gate opens");
    running.end().ok();
    assert_eq!(strata.run(&["up", "--dry-run"]).ok().stdout, "no change\n");
}

#[test]
fn a_copy_of_the_schema_goes_on_behind_what_is_applied() {
    let database = Database::installed();
    let pack = Folder::of(&[("1_a.up.sql", "create table a (x int)"), ("1_a.down.sql", "drop table a")]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    strata.run(&["down", "1"]).ok();
    strata.run(&["up"]).ok();
    database.run("create procedure commits() language plpgsql as 'begin commit; end'");
    pack.write("2_b.up.sql", "call public.commits(); create table b ()");
    let told = strata.env("PATH", &programs()).run(&["up", "--dry-run"]).ok().stdout;
    assert!(told.contains("on an empty copy of the schema"), "{told}");
}
