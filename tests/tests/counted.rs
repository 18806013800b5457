//! A run for so many versions that is killed and asked for again moves no more of them than were asked for, wherever it was
//! killed: `down 1` twice, because the terminal went away, takes one version back.

use strata_tests::proxy::{Moment, Proxy};
use strata_tests::template::{self, Template};
use strata_tests::{Database, Folder, Strata};

fn pack() -> Folder {
    let up = |table: &str| format!("create table {table} ()");
    let down = |table: &str| format!("drop table {table}");
    let pack = Folder::empty();
    for (version, table) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
        pack.write(&format!("{version}_{table}.up.sql"), &up(table));
        pack.write(&format!("{version}_{table}.down.sql"), &down(table));
    }
    pack
}

/// Versions 1 to 3 of 5 are applied.
fn half_way(pack: &Folder) -> Template {
    template::shared("counted", |database| {
        Strata::on(database).path(pack.path()).run(&["up", "3"]).ok();
    })
}

fn applied(database: &Database) -> Vec<i64> {
    database.column("select version from strata.migration where state = 'applied' order by version")
}

/// The command line on a database, through a port.
fn through(database: &Database, port: u16, pack: &Folder) -> Strata {
    let url = database.url();
    let (head, name) = url.rsplit_once('/').expect("a database");
    let (server, _) = head.rsplit_once(':').expect("a port");
    Strata::at(&format!("{server}:{port}/{name}")).path(pack.path())
}

fn port(database: &Database) -> u16 {
    let url = database.url();
    let (_, rest) = url.rsplit_once(':').expect("a port");
    rest.split('/').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// Kills a run before every statement that it sends, and gives the same command again. Returns how often that was.
fn killed_everywhere(words: &[&str], expected: &[i64]) -> usize {
    let pack = pack();
    let template = half_way(&pack);
    let undisturbed = Database::copy_of(&template);
    let proxy = Proxy::start(port(&undisturbed), None);
    through(&undisturbed, proxy.port(), &pack).run(words).ok();
    assert_eq!(applied(&undisturbed), expected);
    let seen = proxy.seen();
    // Behind it the run has ended, and says so: the same command is another one.
    let end = seen.iter().position(|name| name == "run_end").expect("a run ends");
    for (at, name) in seen.iter().enumerate().take(end + 1) {
        let database = Database::copy_of(&template);
        let proxy = Proxy::start(port(&database), Some((at, Moment::Before)));
        let run = through(&database, proxy.port(), &pack).start(words);
        proxy.held();
        run.kill();
        proxy.cut();
        through(&database, port(&database), &pack).run(words).ok();
        assert_eq!(applied(&database), expected, "killed before {at}, {name}");
        let open = "select count(*) from strata.run where state not in ('succeeded', 'cancelled')";
        assert_eq!(database.value::<i64>(open), 0, "killed before {at}, {name}");
    }
    end + 1
}

#[test]
fn down_takes_back_as_many_as_were_asked_for_wherever_it_was_killed() {
    let kills = killed_everywhere(&["down", "2"], &[1]);
    assert!(kills > 25, "{kills} kills");
}

#[test]
fn up_applies_as_many_as_were_asked_for_wherever_it_was_killed() {
    let kills = killed_everywhere(&["up", "1"], &[1, 2, 3, 4]);
    assert!(kills > 20, "{kills} kills");
}

/// `down N`, killed when it has taken so many back and has not said so.
fn killed_behind(database: &Database, pack: &Folder, words: &[&str], versions: usize) {
    let undisturbed = Database::copy_of(&half_way(pack));
    let proxy = Proxy::start(port(&undisturbed), None);
    through(&undisturbed, proxy.port(), pack).run(words).ok();
    let mut commits = proxy.seen().into_iter().enumerate().filter(|(_, name)| name.ends_with("commit"));
    let (at, _) = commits.nth(versions - 1).expect("a commit for each version");
    let proxy = Proxy::start(port(database), Some((at + 1, Moment::Before)));
    let run = through(database, proxy.port(), pack).start(words);
    proxy.held();
    run.kill();
    proxy.cut();
}

#[test]
fn says_what_the_run_that_was_interrupted_had_done() {
    let pack = pack();
    let database = Database::copy_of(&half_way(&pack));
    killed_behind(&database, &pack, &["down", "1"], 1);
    let again = Strata::on(&database).path(pack.path()).arg("--json").run(&["down"]).ok();
    assert!(
        again.stderr.contains("the run that was interrupted had taken back 3 c; nothing more is taken back"),
        "{}",
        again.stderr
    );
    let json = again.json();
    assert_eq!(json["before"][0]["version"], 3);
    assert_eq!(json["moved"].as_array().map(Vec::len), Some(0));
    // That one has ended: from now on it is another.
    assert_eq!(Strata::on(&database).path(pack.path()).run(&["down"]).ok().stdout, "1 version taken back\n");
    assert_eq!(applied(&database), [1]);
}

#[test]
fn another_number_is_another_wish_and_a_forced_version_begins_anew() {
    let pack = pack();
    let database = Database::copy_of(&half_way(&pack));
    killed_behind(&database, &pack, &["down", "2"], 1);
    Strata::on(&database).path(pack.path()).run(&["down", "1"]).ok();
    assert_eq!(applied(&database), [1], "one more");

    let database = Database::copy_of(&half_way(&pack));
    killed_behind(&database, &pack, &["down", "1"], 1);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["force", "3"]).ok();
    database.run("create table c ()");
    strata.run(&["down", "1"]).ok();
    assert_eq!(applied(&database), [1, 2]);
}

#[test]
fn a_run_that_was_stopped_between_two_versions_is_finished_by_the_same_command() {
    let pack = pack();
    let database = Database::copy_of(&half_way(&pack));
    killed_behind(&database, &pack, &["down", "2"], 1);
    database.run("select strata.cancel_run(id) from strata.run where state = 'running'");
    let again = Strata::on(&database).path(pack.path()).run(&["down", "2"]).ok();
    assert!(again.stderr.contains("it had taken back 1 of 2 versions, 3 c"), "{}", again.stderr);
    assert_eq!(applied(&database), [1]);
}

#[test]
fn a_run_that_goes_on_in_the_database_moves_no_further_than_the_command_line_was_asked_to() {
    let pack = pack();
    let database = Database::copy_of(&half_way(&pack));
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    killed_behind(&database, &pack, &["down", "2"], 1);
    database.until("select pg_try_advisory_lock(hashtextextended('strata/pack', 0))");
    database.run("select pg_advisory_unlock_all()");
    database.run("select strata.resume_run(id) from strata.run where state = 'running'");
    database.until("select not exists (select from strata.run where state in ('queued', 'running'))");
    assert_eq!(applied(&database), [1]);
}
