//! Databases that another migration tool has moved: what it has applied is not applied again, and its table is kept in
//! step. golang-migrate's table is made as its `ensureVersionTable` makes it, Supabase's as its `history.go` does.

use strata_tests::{Database, Folder, Strata};

const GOLANG: &str = "create table if not exists schema_migrations (version bigint not null primary key, dirty boolean not null)";

const SUPABASE: &str = "create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (version text not null primary key);
    alter table supabase_migrations.schema_migrations add column if not exists statements text[];
    alter table supabase_migrations.schema_migrations add column if not exists name text";

/// Three versions of a folder without a pack.toml. The first two would fail where they were applied already.
const FILES: [(&str, &str); 6] = [
    ("001_a.up.sql", "create table a (x int)"),
    ("001_a.down.sql", "drop table a"),
    ("002_b.up.sql", "create table b (x int)"),
    ("002_b.down.sql", "drop table b"),
    ("003_c.up.sql", "create table c (x int)"),
    ("003_c.down.sql", "drop table c"),
];

/// As golang-migrate has left it at this version.
fn golang(version: i64, dirty: bool) -> Database {
    let database = Database::installed();
    database.run(GOLANG);
    database.run(&format!("insert into schema_migrations (version, dirty) values ({version}, {dirty})"));
    for table in ["a", "b", "c"].iter().take(usize::try_from(version).unwrap_or(0)) {
        database.run(&format!("create table {table} (x int)"));
    }
    database
}

fn strata(database: &Database, pack: &Folder) -> Strata {
    Strata::on(database).path(pack.path())
}

/// golang-migrate's row, as its `version` command prints it.
fn at(database: &Database) -> String {
    let rows: Vec<String> = database
        .column("select version || case when dirty then ' (dirty)' else '' end from schema_migrations");
    assert!(rows.len() < 2, "golang-migrate keeps one row: {rows:?}");
    rows.into_iter().next().unwrap_or_else(|| "none".to_owned())
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

#[test]
fn what_golang_migrate_has_applied_is_not_applied_again() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    let up = strata(&database, &pack).run(&["up"]).ok();
    assert!(up.stderr.contains("adopted 2 versions of public.schema_migrations\n"), "{}", up.stderr);
    assert_eq!(up.stdout, "1 version applied\n");
    assert_eq!(at(&database), "3");
    let told: Vec<String> = database.column(
        "select concat_ws(' ', version, direction, event, message) from strata.history where event = 'adopted' order by id",
    );
    assert_eq!(told, ["1 up adopted public.schema_migrations", "2 up adopted public.schema_migrations"]);
    assert_eq!(states(&database), ["applied"; 3]);
    assert_eq!(strata(&database, &pack).run(&["up"]).ok().stdout, "no change\n");
}

#[test]
fn status_counts_what_the_first_run_will_take_over() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    let told = strata(&database, &pack).run(&["status", "--exit-code"]).exits(3);
    let lines: Vec<bool> = told.stdout.lines().skip(1).map(|line| line.contains("applied")).collect();
    assert_eq!(lines, [true, true, false], "{told:?}");
    assert!(told.stderr.contains("applied by another migration tool"), "{told:?}");
    assert!(!database.value::<bool>("select exists (select from strata.pack)"), "a look changes nothing");
}

#[test]
fn golang_migrates_table_follows_up_and_down() {
    let (database, pack) = (golang(1, false), Folder::of(&FILES));
    for (words, version) in [
        (&["up", "1"][..], "2"),
        (&["up"], "3"),
        (&["down"], "2"),
        (&["goto", "1"], "1"),
        (&["down"], "none"),
    ] {
        strata(&database, &pack).run(words).ok();
        assert_eq!(at(&database), version, "{words:?}");
    }
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(at(&database), "3");
}

#[test]
fn a_file_that_silences_the_triggers_of_its_session_does_not_silence_this() {
    let (database, pack) = (golang(1, false), Folder::of(&FILES));
    pack.write("002_b.up.sql", "set session_replication_role = replica; create table b (x int)");
    pack.write("002_b.down.sql", "set session_replication_role = replica; drop table b");
    strata(&database, &pack).run(&["up", "1"]).ok();
    assert_eq!(at(&database), "2");
    strata(&database, &pack).run(&["down"]).ok();
    assert_eq!(at(&database), "1");
}

#[test]
fn a_version_under_way_is_dirty_for_golang_migrate() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    pack.write("003_c.up.sql", "create table c (); lock table gate");
    database.run("create table gate ()");
    let mut holder = database.connect();
    holder.batch_execute("begin; lock table gate").unwrap();
    let running = strata(&database, &pack).start(&["up"]);
    database.until("select exists (select from pg_locks where relation = 'gate'::regclass and not granted)");
    assert_eq!(at(&database), "3 (dirty)");
    holder.batch_execute("rollback").unwrap();
    running.end().ok();
    assert_eq!(at(&database), "3");
}

#[test]
fn a_version_that_failed_stays_dirty_until_it_is_finished() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    pack.write("003_c.up.sql", "select 1/0");
    strata(&database, &pack).run(&["up"]).exits(1).says(&["division by zero"]);
    assert_eq!(at(&database), "3 (dirty)");
    pack.write("003_c.up.sql", FILES[4].1);
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(at(&database), "3");

    pack.write("003_c.down.sql", "create index concurrently c_x on c (x); select 1/0");
    strata(&database, &pack).run(&["down"]).exits(1);
    assert_eq!(at(&database), "2 (dirty)", "golang-migrate names the version it is on the way to");
    pack.write("003_c.down.sql", "create index concurrently c_x on c (x); drop table c");
    strata(&database, &pack).run(&["down"]).ok();
    assert_eq!(at(&database), "2");
}

#[test]
fn a_dirty_database_is_refused_in_golang_migrates_words_until_it_is_forced() {
    let (database, pack) = (golang(2, true), Folder::of(&FILES));
    let refused = strata(&database, &pack).run(&["up"]).exits(5);
    assert!(
        refused.error().starts_with("error: Dirty database version 2. Fix and force version."),
        "{refused:?}"
    );
    assert!(states(&database).is_empty(), "nothing was taken over");
    strata(&database, &pack).run(&["force", "2"]).ok();
    assert_eq!(
        (at(&database), states(&database)),
        ("2".to_owned(), vec!["applied".into(), "applied".into(), "pending".into()])
    );
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(at(&database), "3");
    strata(&database, &pack).run(&["force", "-1"]).ok();
    assert_eq!(at(&database), "none");
}

#[test]
fn a_version_without_a_file_is_refused_and_named() {
    let (database, pack) = (golang(7, false), Folder::of(&FILES));
    let says = ["public.schema_migrations has version 7, which has no file in pack pack", "--no-adopt"];
    strata(&database, &pack).run(&["up"]).exits(7).says(&says);
    assert!(states(&database).is_empty());
}

#[test]
fn a_pack_of_its_own_is_not_taken_for_the_folder_of_the_other_tool() {
    let (database, app) = (golang(2, false), Folder::of(&FILES));
    let own = Folder::of(&[
        ("pack.toml", "name = \"search\"\ntitle = \"Search\""),
        ("1_s.up.sql", "create table s (x int)"),
        ("2_t.up.sql", "create table t (x int)"),
    ]);
    let says =
        ["it is not certain that public.schema_migrations (version 2) is of pack search", "--no-adopt"];
    strata(&database, &own).run(&["up"]).exits(11).says(&says);
    strata(&database, &own).run(&["up", "--no-adopt", "1"]).ok();
    strata(&database, &own).run(&["up"]).ok();
    assert_eq!(at(&database), "2", "it is the application's");
    strata(&database, &app).run(&["up"]).ok();
    assert_eq!(at(&database), "3");

    let third = Folder::of(&[
        ("pack.toml", "name = \"third\"\ntitle = \"Third\""),
        ("3_u.up.sql", "create table u ()"),
    ]);
    strata(&database, &third).run(&["up"]).ok();
    assert_eq!(at(&database), "3", "what belongs to another pack is no question");
}

#[test]
fn a_pack_says_which_table_is_its_own() {
    let database = golang(2, false);
    let manifest = |ledger: &str| format!("name = \"shop\"\ntitle = \"Shop\"\nledger = \"{ledger}\"");
    let pack = Folder::of(&FILES);
    pack.write("pack.toml", &manifest("public.nothing"));
    strata(&database, &pack)
        .run(&["up"])
        .exits(1)
        .says(&["\"public.nothing\" does not exist, and public.schema_migrations does", "42704"]);
    database.run("create table odd (x int)");
    pack.write("pack.toml", &manifest("public.odd"));
    strata(&database, &pack).run(&["up"]).exits(1).says(&["\"public.odd\" is no table of golang-migrate's"]);
    assert!(states(&database).iter().all(|state| state == "pending"), "nothing was taken over");
    pack.write("pack.toml", &manifest("public.schema_migrations"));
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(at(&database), "3");
}

#[test]
fn a_table_that_is_named_is_made_in_a_database_that_nobody_has_seen() {
    let database = Database::installed();
    let pack = Folder::of(&FILES);
    pack.write("pack.toml", "name = \"shop\"\nledger = \"public.schema_migrations\"");
    assert_eq!(strata(&database, &pack).run(&["version"]).ok().stdout, "none\n");
    strata(&database, &pack).run(&["push"]).ok();
    let up = strata(&database, &pack).run(&["up", "2"]).ok();
    assert!(up.stderr.contains("public.schema_migrations is kept in step\n"), "{}", up.stderr);
    assert_eq!(at(&database), "2");
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(at(&database), "3");

    let database = Database::installed();
    pack.write("pack.toml", "name = \"shop\"\nledger = \"supabase_migrations.schema_migrations\"");
    strata(&database, &pack).run(&["up"]).ok();
    let told: Vec<String> =
        database.column("select version from supabase_migrations.schema_migrations order by 1");
    assert_eq!(told.len(), 3, "{told:?}");
    // A bare name lies in the first schema of the search path, which the URL may name as Go's drivers do.
    let database = Database::installed();
    database.run("create schema shop");
    let bare = Folder::of(&FILES);
    let at = |path: &str| Strata::at(&format!("{}?search_path={path}", database.url())).path(bare.path());
    at("nowhere")
        .run(&["up", "--adopt", "moved"])
        .exits(1)
        .says(&["there is no schema for the table", "3F000"]);
    at("gone,shop").run(&["up", "--adopt", "moved"]).ok();
    assert_eq!(database.value::<i64>("select version from shop.moved"), 3);
    assert!(database.value::<bool>("select to_regclass('shop.c') is not null"));
    let nowhere = Database::installed();
    pack.write("pack.toml", "name = \"shop\"\nledger = \"nowhere.schema_migrations\"");
    strata(&nowhere, &pack).run(&["up"]).exits(1).says(&["schema \"nowhere\" does not exist"]);
}

#[test]
fn a_table_elsewhere_is_found_or_named() {
    let pack = Folder::of(&FILES);
    let moved = || {
        let database = golang(2, false);
        database.run("create schema tools; alter table schema_migrations set schema tools");
        database
    };
    let version = "select version from tools.schema_migrations";
    let found = moved();
    strata(&found, &pack).run(&["up"]).ok();
    assert_eq!(found.value::<i64>(version), 3);

    let two = moved();
    two.run("create schema other; create table other.schema_migrations (like tools.schema_migrations including all);
             insert into other.schema_migrations values (1, false)");
    strata(&two, &pack)
        .run(&["up"])
        .exits(11)
        .says(&["other.schema_migrations (version 1) or tools.schema_migrations"]);
    strata(&two, &pack).run(&["up", "--adopt", "tools.schema_migrations"]).ok();
    assert_eq!(two.value::<i64>(version), 3);
    assert_eq!(two.value::<i64>("select version from other.schema_migrations"), 1);

    let renamed = golang(2, false);
    renamed.run("alter table schema_migrations rename to \"Moves\"");
    let url = format!("{}?x-migrations-table=Moves", renamed.url());
    Strata::at(&url).path(pack.path()).run(&["up"]).ok();
    assert_eq!(renamed.value::<i64>("select version from \"Moves\""), 3);
}

#[test]
fn what_golang_migrate_does_meanwhile_is_noticed() {
    let (database, pack) = (golang(1, false), Folder::of(&FILES));
    strata(&database, &pack).run(&["up", "1"]).ok();
    database.run("create table c (x int); update schema_migrations set version = 3");
    let ahead = strata(&database, &pack).run(&["up"]).ok();
    assert!(ahead.stderr.contains("adopted 1 version of public.schema_migrations\n"), "{}", ahead.stderr);
    assert_eq!((ahead.stdout.as_str(), states(&database)), ("no change\n", vec!["applied".to_owned(); 3]));

    database.run("update schema_migrations set version = 1");
    let says =
        ["version 3 of pack pack is applied, and public.schema_migrations is at version 1", "strata force"];
    strata(&database, &pack).run(&["up"]).exits(7).says(&says);
    strata(&database, &pack).run(&["force", "3"]).ok();
    assert_eq!(at(&database), "3");
    database.run("drop table schema_migrations");
    strata(&database, &pack).run(&["down"]).exits(7).says(&["public.schema_migrations is gone"]);
    strata(&database, &pack).run(&["down", "--no-adopt"]).ok();
    assert_eq!(states(&database), ["applied", "applied", "pending"]);
}

#[test]
fn while_golang_migrate_is_at_work_nothing_is_moved() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    // Its own test: GenerateAdvisoryLockId("database_name", "schema_name_1", "schema_name_2").
    let lock = "select strata.golang_lock_id('schema_name_1', 'schema_name_2', 'database_name')";
    assert_eq!(database.value::<i64>(lock), 3_743_845_847);
    for slash in ["/", ""] {
        let mut other = database.connect();
        let hold = format!(
            "select pg_advisory_lock(strata.golang_lock_id('public', 'schema_migrations', '{slash}' || current_database()))"
        );
        other.batch_execute(&hold).unwrap();
        strata(&database, &pack)
            .run(&["up"])
            .exits(6)
            .says(&["golang-migrate is at work on public.schema_migrations"]);
    }
    strata(&database, &pack).run(&["up"]).ok();
}

#[test]
fn what_golang_migrate_does_in_the_middle_of_a_run_stops_it() {
    let files = [("1_a.up.sql", "create table a (); lock table gate"), ("2_b.up.sql", "create table b ()")];
    let hold = "select pg_advisory_lock(strata.golang_lock_id('public', 'schema_migrations', '/' || current_database()))";
    for (meddling, code, said, version) in [
        (hold, 6, "version 2 (b) step 1: golang-migrate is at work on public.schema_migrations", "1"),
        (
            "update schema_migrations set version = 9, dirty = false",
            7,
            "at version 9 and no longer at 1 dirty",
            "9",
        ),
        ("drop table schema_migrations; create table schema_migrations ()", 1, "does not exist", ""),
        ("drop table schema_migrations", 1, "public.schema_migrations is gone", ""),
    ] {
        let (database, pack) = (golang(0, false), Folder::of(&files));
        database.run("delete from schema_migrations; create table gate ()");
        let mut holder = database.connect();
        holder.batch_execute("begin; lock table gate").unwrap();
        let running = strata(&database, &pack).start(&["up"]);
        database
            .until("select exists (select from pg_locks where relation = 'gate'::regclass and not granted)");
        let mut other = database.connect();
        other.batch_execute(meddling).unwrap();
        holder.batch_execute("rollback").unwrap();
        running.end().exits(code).says(&[said]);
        if !version.is_empty() {
            assert_eq!(at(&database), version, "what the other tool says is left as it is");
            assert_eq!(states(&database)[0] == "applied", version == "1");
        }
    }
}

#[test]
fn a_table_that_would_run_code_is_not_written_to() {
    let pack = Folder::of(&FILES);
    for (trap, fault) in [
        (
            "create function f() returns trigger language plpgsql as 'begin return new; end';
          create trigger t after insert on schema_migrations for each row execute function f()",
            "has triggers",
        ),
        ("create rule r as on insert to schema_migrations do also notify x", "has rules"),
        (
            "create function f(bigint) returns boolean language sql as 'select true';
          alter table schema_migrations add check (f(version))",
            "has checks",
        ),
        ("alter table schema_migrations alter dirty set default random() > 0.5", "has defaults"),
    ] {
        let database = golang(2, false);
        database.run(trap);
        strata(&database, &pack)
            .run(&["up"])
            .exits(1)
            .says(&[&format!("public.schema_migrations {fault}"), "42809"]);
        assert_eq!(at(&database), "2");
    }
}

#[test]
fn a_run_in_the_database_keeps_it_in_step_too() {
    let (database, pack) = (golang(2, false), Folder::of(&FILES));
    strata(&database, &pack).run(&["push", "--no-adopt"]).exits(2).says(&["pack.toml"]);
    strata(&database, &pack).run(&["push"]).ok();
    assert_eq!(states(&database), ["applied", "applied", "pending"], "the first contact takes over");
    let ended = "select bool_and(state not in ('queued', 'running')) from strata.run";
    for (target, version) in [("null", "3"), ("1", "1")] {
        database.run(&format!("select strata.start_run('pack', {target})"));
        database.until(ended);
        assert_eq!(at(&database), version);
    }
    database.run("select strata.force_version('pack', 2, 'made by hand')");
    assert_eq!(at(&database), "2");
}

#[test]
fn version_tells_what_the_other_tool_says_before_the_first_run() {
    let pack = Folder::of(&FILES);
    let version = |database: &Database| strata(database, &pack).run(&["version"]).ok().stdout;
    let (clean, dirty) = (golang(2, false), golang(2, true));
    assert_eq!((version(&clean).as_str(), version(&dirty).as_str()), ("2\n", "2 (dirty)\n"));
    strata(&clean, &pack)
        .run(&["up", "--no-adopt", "--json"])
        .exits(1)
        .says(&["relation \"a\" already exists"]);

    let bare = Database::empty();
    assert_eq!(version(&bare), "none\n");
    bare.run(GOLANG);
    assert_eq!(version(&bare), "none\n");
    bare.run("insert into schema_migrations values (3, true)");
    assert_eq!(version(&bare), "3 (dirty)\n");
    bare.run("update schema_migrations set version = 9");
    assert_eq!(version(&bare), "none\n", "of another folder");
    assert!(bare.value::<bool>("select to_regnamespace('strata') is null"), "asking installs nothing");
}

const PROJECT: [(&str, &str); 5] = [
    ("20240101000000_base.sql", "create table a (x int);\n-- a comment\ncreate table a2 (x int);"),
    ("20240201000000_more.sql", "create table b (x int)"),
    ("20240301000000_new.sql", "create table c (x int); insert into c values (1);"),
    ("down/20240301000000_new.sql", "drop table c"),
    ("down/20240201000000_more.down.sql", "drop table b"),
];

/// A folder in Supabase's layout.
fn project() -> Folder {
    let folder = Folder::empty();
    std::fs::create_dir(folder.path().join("down")).expect("a folder");
    for (name, text) in PROJECT {
        folder.write(name, text);
    }
    folder
}

fn rows(database: &Database) -> Vec<String> {
    database.column(
        "select concat_ws('|', version, name, array_to_string(statements, ';')) from supabase_migrations.schema_migrations order by 1",
    )
}

#[test]
fn a_supabase_project_goes_on_where_it_stands_and_its_table_follows() {
    let (database, pack) = (Database::installed(), project());
    database.run(SUPABASE);
    database.run(
        "insert into supabase_migrations.schema_migrations (version, name) values ('20240101000000', 'base');
                  create table a (x int); create table a2 (x int)",
    );
    let up = strata(&database, &pack).run(&["up"]).ok();
    assert!(
        up.stderr.contains("adopted 1 version of supabase_migrations.schema_migrations"),
        "{}",
        up.stderr
    );
    let new = "20240301000000|new|create table c (x int);insert into c values (1)";
    assert_eq!(rows(&database), ["20240101000000|base", "20240201000000|more|create table b (x int)", new]);
    strata(&database, &pack).run(&["down", "2"]).ok();
    assert_eq!(rows(&database), ["20240101000000|base"]);
    strata(&database, &pack).run(&["down"]).exits(16).says(&["down/20240101000000_base.sql"]);

    database.run("insert into supabase_migrations.schema_migrations (version) values ('20240201000000'); create table b ()");
    strata(&database, &pack).run(&["up"]).ok();
    assert_eq!(states(&database), ["applied"; 3]);
    database.run("delete from supabase_migrations.schema_migrations where version = '20240201000000'");
    strata(&database, &pack).run(&["up"]).exits(7).says(&["version 20240201000000 of pack pack is applied"]);
}

#[test]
fn a_supabase_project_with_a_version_that_has_no_file_is_refused() {
    let (database, pack) = (Database::installed(), project());
    database.run(SUPABASE);
    database.run("insert into supabase_migrations.schema_migrations (version) values ('20240101000000'), ('20240115000000')");
    // The schema is not on the search path, so nothing speaks for it but its versions.
    strata(&database, &pack).run(&["up"]).exits(7).says(&["has version 20240115000000, which has no file"]);
}

#[test]
fn an_older_table_of_supabase_and_leading_zeros_are_understood() {
    let database = Database::installed();
    database.run(
        "create schema supabase_migrations;
                  create table supabase_migrations.schema_migrations (version text not null primary key);
                  insert into supabase_migrations.schema_migrations values ('0001')",
    );
    let pack = Folder::of(&[("0001_a.sql", "select 1/0"), ("0002_b.sql", "create table b ()")]);
    strata(&database, &pack).run(&["up"]).ok();
    let versions: Vec<String> =
        database.column("select version from supabase_migrations.schema_migrations order by 1");
    assert_eq!(versions, ["0001", "0002"]);
}

#[test]
fn a_folder_in_supabases_layout_runs_where_there_is_no_table_of_supabases() {
    let (database, pack) = (Database::installed(), project());
    assert_eq!(strata(&database, &pack).run(&["up"]).ok().stdout, "3 versions applied\n");
    strata(&database, &pack).run(&["push"]).ok();
    pack.write("20240401000000_odd.up.sql", "select 1");
    strata(&database, &pack).run(&["up"]).exits(21).says(&["is in Supabase's layout"]);
}

#[test]
fn a_folder_that_was_renamed_is_not_run_again() {
    let (database, pack) = (golang(1, false), Folder::of(&FILES));
    strata(&database, &pack).run(&["up", "1"]).ok();
    let other = Folder::empty();
    let renamed = other.path().join("other");
    std::fs::create_dir(&renamed).expect("a folder");
    for (name, text) in FILES {
        std::fs::write(renamed.join(name), text).expect("a file");
    }
    let strata = Strata::on(&database).path(&renamed);
    for words in [&["up"][..], &["down"], &["up", "--dry-run"]] {
        strata
            .run(words)
            .exits(11)
            .says(&["pack pack has applied version 1 with the same file", "name = \"pack\""]);
    }
    assert_eq!(at(&database), "2");
    std::fs::write(renamed.join("pack.toml"), "name = \"pack\"").expect("a file");
    strata.run(&["up"]).ok();
    assert_eq!(at(&database), "3");
}
