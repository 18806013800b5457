//! 200 small migrations by `strata up`, against the same statements in one psql session.

use crate::figure::{Figure, Limit};
use crate::say;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use strata_tests::{Database, Folder, Strata, environment};

/// How many migrations.
const MIGRATIONS: usize = 200;

/// `strata up` over psql, a round a pair; who comes first changes.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let pack = pack();
    let script = pack.path().join("all.psql");
    std::fs::write(&script, script_text()).expect("the folder is ours");
    let ratio = |round: usize| {
        let strata = || up(pack.path());
        let (ours, theirs) = if round.is_multiple_of(2) {
            let ours = strata();
            (ours, psql(&script))
        } else {
            let theirs = psql(&script);
            (strata(), theirs)
        };
        say(&format!("{MIGRATIONS} migrations: strata up {ours:.3} s, psql {theirs:.3} s"));
        ours / theirs
    };
    let samples = (0..rounds).map(ratio).collect();
    vec![Figure::new("200 migrations / one psql session", "ratio", samples, Limit::AtMost(1.10))]
}

/// A table, an index and a row: what a small migration does.
fn body(number: usize) -> String {
    format!(
        "create table item_{number} (id bigint generated always as identity primary key, name text not null);\n\
         create index item_{number}_name on item_{number} (name);\n\
         insert into item_{number} (name) values ('first');\n"
    )
}

fn pack() -> Folder {
    let folder = Folder::empty();
    for number in 1..=MIGRATIONS {
        folder.write(&format!("{number:03}_item.up.sql"), &body(number));
        folder.write(&format!("{number:03}_item.down.sql"), &format!("drop table item_{number};\n"));
    }
    folder
}

/// Each migration in a transaction of its own, as a careful person would write it.
fn script_text() -> String {
    (1..=MIGRATIONS).map(|number| format!("begin;\n{}commit;\n", body(number))).collect()
}

fn up(folder: &Path) -> f64 {
    let database = Database::installed();
    let strata = Strata::on(&database).path(folder);
    let since = Instant::now();
    let outcome = strata.run(&["up", "--quiet"]);
    let took = since.elapsed().as_secs_f64();
    outcome.ok();
    assert_eq!(database.value::<i64>("select count(*) from strata.migration where state = 'applied'"), 200);
    took
}

fn psql(script: &Path) -> f64 {
    let database = Database::installed();
    let mut command = Command::new(environment::program("psql"));
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(script).arg(database.url());
    command.stdout(Stdio::null());
    let since = Instant::now();
    let status = command.status().expect("psql is beside the server");
    let took = since.elapsed().as_secs_f64();
    assert!(status.success(), "psql ended with {status}");
    took
}
