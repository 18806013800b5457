//! What the command line prints: results on stdout for people and programs, one line an error.

use serde_json::{Value, json};
use strata_tests::{Database, Folder, Strata};

const MANIFEST: &str = "name = \"shop\"\ntitle = \"A shop\"\n[[phase]]\nnumber = 1\nname = \"Base\"\nmigrations = [1, 2]\n\
    [[phase]]\nnumber = 2\nname = \"More\"\nmigrations = [3]\n";

fn shop() -> Folder {
    Folder::of(&[
        ("pack.toml", MANIFEST),
        ("001_a.up.sql", "create table a (x int); insert into a values (7)"),
        ("001_a.down.sql", "drop table a"),
        (
            "001_a.verify.sql",
            "select 'rows' as check_name, '1' as expected, count(*)::text as actual, count(*) = 1 as ok from a",
        ),
        ("002_b.up.sql", "create table b ()"),
        ("002_b.down.sql", "drop table b"),
        ("003_c.up.sql", "create table c ()"),
        ("003_c.down.sql", "drop table c"),
    ])
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn version_is_none_before_the_first_and_a_number_after_it() {
    let database = Database::empty();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");
    assert!(database.value::<bool>("select to_regnamespace('strata') is null"), "asking installs nothing");
    let none = strata.run(&["version", "--json"]).ok().json();
    assert_eq!(none, json!({"pack": "shop", "version": null, "dirty": false, "schema": 1}));
    strata.run(&["up", "2"]).ok();
    assert_eq!(strata.run(&["version"]).ok().stdout, "2\n");
    let two = strata.run(&["version", "--json"]).ok().json();
    assert_eq!(two, json!({"pack": "shop", "version": 2, "dirty": false, "schema": 1}));
    strata.run(&["down", "--all", "--yes"]).ok();
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");
}

#[test]
fn status_lists_every_version_before_and_after() {
    let database = Database::empty();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    let before = strata.run(&["status", "--json"]).ok().json();
    assert_eq!((&before["pack"], before["versions"].as_array().map(Vec::len)), (&"shop".into(), Some(3)));
    strata.run(&["status", "--exit-code"]).exits(3);
    strata.run(&["up", "--to-phase", "1"]).ok();
    let text = strata.run(&["status", "--exit-code"]).exits(3).stdout;
    assert_eq!(text.lines().count(), 4, "a heading and three versions: {text}");
    assert_eq!(text.matches("applied").count(), 2, "{text}");
    let json = strata.run(&["status", "--json"]).ok().json();
    let first = &json["versions"][0];
    let documented = [
        "version",
        "name",
        "phase",
        "phase_name",
        "state",
        "applied_at",
        "execution_time_ms",
        "sqlstate",
        "error_message",
    ];
    assert_eq!(fields(first), documented);
    assert_eq!(first["version"], 1);
    assert_eq!(
        (&first["name"], &first["phase_name"], &first["state"]),
        (&"a".into(), &"Base".into(), &"applied".into())
    );
    assert!(first["applied_at"].is_string() && first["execution_time_ms"].is_i64(), "{first}");
    assert_eq!(json["versions"][2]["state"], "pending");
    strata.run(&["up"]).ok();
    strata.run(&["status", "--exit-code"]).ok();
}

#[test]
fn status_needs_no_folder_where_the_database_knows_the_pack() {
    let database = Database::installed();
    let pack = shop();
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
    let json = Strata::on(&database).run(&["status", "--json", "--pack", "shop"]).ok().json();
    assert_eq!(json["versions"].as_array().map(Vec::len), Some(3));
    assert_eq!(Strata::on(&database).run(&["version", "--pack", "shop"]).ok().stdout, "3\n");
}

#[test]
fn up_and_down_say_what_they_moved() {
    let database = Database::installed();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    let up = strata.run(&["up", "2", "--json"]).ok().json();
    assert_eq!((&up["pack"], &up["direction"]), (&"shop".into(), &"up".into()));
    assert_eq!(up["moved"], json!([{"version": 1, "name": "a"}, {"version": 2, "name": "b"}]));
    let run: String = database.value("select id::text from strata.run");
    assert_eq!(up["run"], run);
    let rest = strata.run(&["up"]).ok();
    assert_eq!(rest.stdout, "1 version applied\n");
    assert!(rest.stderr.contains("phase 2 More") && rest.stderr.contains("3/u c ("), "{}", rest.stderr);
    let none = strata.run(&["up", "--json"]).ok().json();
    assert_eq!((&none["moved"], &none["run"]), (&json!([]), &Value::Null));
    assert_eq!(strata.run(&["up"]).ok().stdout, "no change\n");

    let down = strata.run(&["down", "--json"]).ok().json();
    assert_eq!((&down["direction"], &down["moved"]), (&"down".into(), &json!([{"version": 3, "name": "c"}])));
    let all = strata.run(&["down", "--all", "--yes"]).ok();
    assert_eq!(all.stdout, "2 versions taken back\n");
    assert!(
        all.stderr.find("2/d b (").expect("2") < all.stderr.find("1/d a (").expect("1"),
        "the newest first"
    );
    assert_eq!(strata.run(&["down"]).ok().stdout, "no change\n");
}

#[test]
fn quiet_writes_nothing_to_stderr() {
    let database = Database::empty();
    let pack = shop();
    let quiet = Strata::on(&database).path(pack.path()).run(&["up", "--quiet"]).ok();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("3 versions applied\n", ""));
}

#[test]
fn verify_prints_every_check() {
    let database = Database::installed();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    let good = strata.run(&["verify", "--json"]).ok().json();
    assert_eq!((&good["pack"], &good["ok"]), (&"shop".into(), &true.into()));
    let check = json!({"version": 1, "check": "rows", "expected": "1", "actual": "1", "ok": true});
    assert_eq!(good["checks"], json!([check]));
    database.run("insert into a values (8)");
    let bad = strata.run(&["verify"]).exits(4).says(&["pack shop: rows: expected 1, found 2"]);
    assert!(bad.stdout.contains("rows"), "{}", bad.stdout);
    strata.run(&["up"]).ok();
}

#[test]
fn an_error_with_json_is_one_object_on_stdout_and_one_line_on_stderr() {
    let database = Database::installed();
    let pack = shop();
    pack.write("002_b.up.sql", "select 1/0");
    let failed =
        Strata::on(&database).path(pack.path()).run(&["up", "--json"]).exits(1).says(&["division by zero"]);
    let json = failed.json();
    let error = &json["error"];
    assert_eq!(fields(error), ["code", "message", "details", "hint", "exit"]);
    assert_eq!((&error["code"], &error["exit"]), (&"22012".into(), &1.into()));
    assert!(
        error["message"].as_str().expect("text").contains("version 2 (b) step 1, 002_b.up.sql line 1"),
        "{error}"
    );

    let unknown = Strata::on(&database).run(&["up", "--pack", "nowhere", "--json"]).exits(15).json();
    assert_eq!((&unknown["error"]["code"], &unknown["error"]["exit"]), (&"42704".into(), &15.into()));
    assert!(unknown["error"]["hint"].is_string(), "{unknown}");
}

#[test]
fn an_error_of_many_lines_is_one_line() {
    let database = Database::installed();
    let pack = Folder::of(&[(
        "001_a.up.sql",
        "do $$ begin raise exception E'one\\ntwo\\nthree' using hint = E'four\\nfive'; end $$",
    )]);
    let failed = Strata::on(&database).path(pack.path()).run(&["up"]).exits(1).says(&["one two three"]);
    let error = failed.stderr.lines().skip_while(|line| !line.starts_with("error:")).count();
    assert_eq!(error, 1, "the error is the last line: {}", failed.stderr);
}

#[test]
fn an_argument_goes_before_the_environment() {
    let database = Database::installed();
    let pack = shop();
    let strata = Strata::on(&database)
        .path(pack.path())
        .env("DATABASE_URL", "postgres://nobody:wrong-one@127.0.0.1:1/x");
    strata.run(&["up"]).ok();
}

#[test]
fn a_failed_verification_is_one_object_with_its_checks() {
    let database = Database::installed();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    database.run("insert into a values (8)");
    let bad = strata.run(&["verify", "--json"]).exits(4).json();
    assert_eq!((&bad["ok"], &bad["checks"][0]["actual"]), (&false.into(), &"2".into()));
    assert_eq!((&bad["error"]["code"], &bad["error"]["exit"]), (&"ST004".into(), &4.into()));
}

#[test]
fn a_line_that_makes_no_sense_is_an_object_too() {
    let database = Database::empty();
    let error = Strata::on(&database).run(&["up", "many", "--json"]).exits(2).json();
    assert_eq!((&error["error"]["code"], &error["error"]["exit"]), (&"22023".into(), &2.into()));
    assert!(error["error"]["message"].as_str().expect("text").contains("'many'"), "{error}");
}

#[test]
fn status_shows_what_became_of_the_files() {
    let database = Database::installed();
    let pack = shop();
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    pack.write("001_a.up.sql", "create table a (x int)");
    for file in ["pack.toml", "002_b.up.sql", "002_b.down.sql"] {
        pack.remove(file);
    }
    pack.write("pack.toml", "name = \"shop\"\ntitle = \"A shop\"");
    let states = strata.run(&["status", "--json"]).ok().json();
    let states: Vec<&Value> =
        states["versions"].as_array().expect("a list").iter().map(|v| &v["state"]).collect();
    assert_eq!(states, ["changed", "missing", "applied"]);
}

#[test]
fn status_tells_who_is_at_work_and_who_is_no_more() {
    let database = Database::installed();
    let pack = Folder::of(&[("1_a.up.sql", "lock table gate"), ("1_a.down.sql", "select 1")]);
    database.run("create table gate ()");
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["status", "--json"]).ok().json()["run"], Value::Null);
    let mut holder = database.connect();
    holder.batch_execute("begin; lock table gate").expect("a lock");
    let running = strata.start(&["up"]);
    database.until("select exists (select from pg_locks where relation = 'gate'::regclass and not granted)");
    let run = &strata.run(&["status", "--json"]).ok().json()["run"];
    assert_eq!((&run["state"], &run["alive"], &run["version"]), (&"running".into(), &true.into(), &1.into()));
    assert!(strata.run(&["status"]).ok().stdout.contains("is at work as pid "));
    running.kill();
    holder.batch_execute("rollback").expect("the end");
    database.until("select not exists (select from strata.run r where strata.run_is_alive(r.id))");
    let left = strata.run(&["status"]).ok().stdout;
    assert!(left.contains("has lost its executor") && left.contains("\"strata up\" goes on"), "{left}");
    strata.run(&["up"]).ok();
}

#[test]
fn status_tells_why_a_version_is_half_way_and_how_to_go_on() {
    let database = Database::installed();
    let pack = Folder::of(&[("1_a.up.sql", "create table a (); select 1 / 0")]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(1);
    let told = strata.run(&["status"]).ok().stdout;
    for part in ["has failed, version 1 step 1 of 1", "22012 division by zero", "\"strata up\" goes on there"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let run = &strata.run(&["status", "--json"]).ok().json()["run"];
    assert_eq!((&run["state"], &run["sqlstate"]), (&"failed".into(), &"22012".into()));

    strata.run(&["force", "1", "--reason", "made by hand"]).ok();
    let told = strata.run(&["status"]).ok().stdout;
    assert!(told.contains("applied") && !told.contains("22012") && !told.contains("run "), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_nothing_of_our_rollback() {
    let database = Database::installed();
    let pack = Folder::of(&[("1_a.up.sql", "creat table a ()")]);
    let told = Strata::on(&database).path(pack.path()).run(&["up"]).exits(1).says(&["42601"]);
    assert!(!told.stderr.contains("WARNING"), "{}", told.stderr);
}
