//! Gates between phases, checklists and sign-offs, as an operator meets them on the command line and in the database.

use strata_tests::{Database, Folder, Strata};

const MANIFEST: &str = "name = 'pack'\ntitle = 'P'\n\
    [[phase]]\nnumber = 1\nname = 'Expand'\nmigrations = [1]\n\
    [[phase]]\nnumber = 2\nname = 'Watch'\nneeds = ['embedded']\n\
    [phase.sign]\nsupport_ready = 'support knows'\n\
    [[phase]]\nnumber = 3\nname = 'Last'\nmigrations = [2]\nneeds = ['verified', 'backup_restored']\n";

const VERIFY: &str =
    "select 'rows' as check_name, '1' as expected, count(*)::text as actual, count(*) = 1 as ok from a";

fn pack() -> Folder {
    Folder::of(&[
        ("pack.toml", MANIFEST),
        ("001_a.up.sql", "create table a (x int); insert into a values (1)"),
        ("001_a.down.sql", "drop table a"),
        ("001_a.verify.sql", VERIFY),
        ("002_b.up.sql", "create table b ()"),
        ("002_b.down.sql", "drop table b"),
    ])
}

fn runs(database: &Database) -> Vec<String> {
    database.column("select state || ' ' || attempt from strata.run order by requested_at")
}

fn gates(strata: &Strata) -> Vec<String> {
    let status = strata.run(&["status", "--json"]).ok().json();
    let phases = status["phases"].as_array().expect("phases").clone();
    phases.iter().map(|p| format!("{} {}", p["phase"], p["gate"].as_str().expect("gate"))).collect()
}

#[test]
fn a_phase_without_migrations_keeps_the_run_waiting_until_its_gate_is_met() {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(gates(&strata), ["1 none", "2 not asked", "3 not asked"]);
    strata.run(&["up"]).exits(9).says(&[
        "the gate of phase 2 (Watch) is not met: 2.support_ready is not signed: support knows",
        "strata sign-off 2.support_ready --pack pack --reason ...",
    ]);
    assert_eq!(
        (runs(&database), strata.run(&["version"]).ok().stdout),
        (vec!["waiting 1".into()], "1\n".into())
    );
    assert_eq!(gates(&strata), ["1 none", "2 open", "3 open"]);

    // Nothing but the gate is left of the request, and it is asked again.
    strata.run(&["up", "--to-phase", "2"]).exits(9);
    strata.run(&["sign-off", "2.support_ready", "--reason", "told them on Monday"]).ok();
    assert_eq!(gates(&strata), ["1 none", "2 met", "3 open"]);
    let passed = strata.run(&["up", "--to-phase", "2"]).ok();
    assert_eq!(passed.stdout, "phase 2 passed\n");
    assert_eq!(runs(&database), ["succeeded 3"]);
    assert_eq!(gates(&strata), ["1 none", "2 passed", "3 open"]);

    // Passed is passed, until a way down leads below it.
    strata.run(&["sign-off", "2.support_ready", "--withdraw", "--reason", "they left"]).ok();
    assert_eq!(strata.run(&["up", "--to-phase", "2"]).ok().stdout, "no change\n");
    strata.run(&["down", "1"]).ok();
    strata.run(&["up", "--to-phase", "2"]).exits(9).says(&["was withdrawn by", "they left"]);
}

#[test]
fn a_phase_starts_when_what_is_applied_verifies_and_its_backup_is_signed() {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--to-phase", "1"]).ok();
    strata.run(&["sign-off", "2.support_ready", "--reason", "told them"]).ok();
    strata.run(&["up"]).exits(9).says(&["phase 3 (Last)", "3.backup_restored is not signed", "--evidence"]);
    strata.run(&["sign-off", "3.backup_restored", "--reason", "restored"]).exits(2).says(&["needs evidence"]);
    let evidence = r#"{"dump": "app.dump", "rows": {"a": 1}}"#;
    strata.run(&["sign-off", "3.backup_restored", "--reason", "restored", "--evidence", evidence]).ok();

    database.run("insert into a values (2)");
    strata.run(&["up"]).exits(9).says(&["verification of version 1 (a) failed", "expected 1, found 2"]);
    database.run("alter table a rename to gone");
    strata.run(&["up"]).exits(9).says(&["verification of version 1 (a) failed", "SQLSTATE 42P01"]);
    database.run("alter table gone rename to a; delete from a where x = 2");
    assert_eq!(strata.run(&["up"]).ok().stdout, "1 version applied\n");
    let told: Vec<String> =
        database.column("select event || coalesce(' ' || sqlstate, '') from strata.history where direction = 'verify' order by id");
    assert_eq!(told, ["succeeded", "failed ST004", "failed 42P01", "succeeded"]);
}

#[test]
fn a_changed_file_opens_the_sign_off_and_only_what_is_known_can_be_signed() {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata
        .run(&["sign-off", "2.support_ready", "--reason", "x"])
        .exits(24)
        .says(&["is not known here", "strata push"]);
    strata.run(&["push"]).ok();
    let signed = |reason| {
        strata.run(&["sign-off", "3.backup_restored", "--reason", reason, "--evidence", "{\"d\":1}"])
    };
    signed("restored").ok();
    let me: String = database.value("select session_user::text");
    signed("again").exits(2).says(&[&format!("item 3.backup_restored is signed already, by {me}")]);
    pack.write("002_b.down.sql", "drop table if exists b");
    signed("new file").exits(7).says(&["the files of phase 3 that you see are not those", "strata push"]);
    strata.run(&["push"]).ok();
    let list = strata.run(&["checklist", "--json"]).ok().json();
    let item =
        list["items"].as_array().expect("items").iter().find(|i| i["item"] == "3.backup_restored").cloned();
    let item = item.expect("the item");
    assert_eq!(item["state"], "open");
    assert!(item["detail"].as_str().expect("text").contains("is for other files than these"), "{item}");
    signed("new file").ok();
    let text = strata.run(&["checklist"]).ok().stdout;
    assert!(text.contains("3.backup_restored") && text.contains("new file") && text.contains(&me), "{text}");
}

#[test]
fn of_two_who_sign_at_once_the_second_is_told() {
    let (database, pack) = (Database::installed(), pack());
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    let sign = "select strata.sign_off('pack', '2.support_ready', 'sure')";
    let mut first = database.connect();
    let mut open = first.transaction().expect("a transaction");
    open.execute(sign, &[]).expect("signed");
    let mut second = database.connect();
    let other = std::thread::spawn(move || {
        second.execute(sign, &[]).map_err(|e| e.code().map(|c| c.code().to_owned()))
    });
    database.until("select exists (select from pg_locks where locktype = 'advisory' and not granted)");
    open.commit().expect("committed");
    assert_eq!(other.join().expect("no panic"), Err(Some("55000".to_owned())));
}

#[test]
fn a_run_in_the_database_waits_at_a_gate_and_is_resumed() {
    let (database, pack) = (Database::installed(), pack());
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    let run: String = database.value("select strata.start_run('pack', to_phase => 2)::text");
    let ended =
        || database.until("select not exists (select from strata.run where state in ('queued', 'running'))");
    ended();
    assert_eq!(runs(&database), ["waiting 1"]);
    database.run("select strata.sign_off('pack', '2.support_ready', 'sure')");
    database.until("select not exists (select from pg_stat_activity where backend_type = 'strata run' and datname = current_database())");
    database.run(&format!("select strata.resume_run('{run}')"));
    ended();
    assert_eq!(runs(&database), ["succeeded 2"]);
    let told: Vec<String> = database.column("select text from strata.run_event where kind = 'gate'");
    assert_eq!(told, ["the gate of phase 2 Watch is met"]);
    database.run("select strata.start_run('pack', to_phase => 2)");
    assert_eq!(runs(&database).last().map(String::as_str), Some("succeeded 0"), "nothing is left to do");
}
