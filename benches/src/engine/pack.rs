//! The whole Aurum pack while its application writes: how long a write waits, against the same application undisturbed.

use crate::figure::{Figure, Limit};
use crate::say;
use crate::writers::{Application, Stalls};
use std::time::Duration;
use strata_tests::aurum::{self, Vectors};
use strata_tests::{Database, template, vectors};

/// What the application does, as it did before anybody migrated it.
const WRITES: [&str; 5] = [
    "update tasks set name = name || '.' where id = (select id from tasks offset floor(random() * 100) limit 1)",
    "update tasks set status = case status when 'todo' then 'completed' else 'todo' end
        where id = (select id from tasks offset floor(random() * 100) limit 1)",
    "update journal_entries set content = content || '.'
        where id = (select id from journal_entries offset floor(random() * 100) limit 1)",
    "insert into tasks (user_id, project_id, name, description)
        select user_id, id, 'New', 'Written meanwhile' from projects offset floor(random() * 10) limit 1",
    "insert into journal_entries (user_id, content) select id, 'Written meanwhile' from auth.users limit 1",
];

/// Longest that the application is watched without a migration.
const CALM: Duration = Duration::from_secs(10);

/// The longest write, undisturbed and while the pack goes up; and how many failed.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let measured: Vec<(f64, f64, f64)> = (0..rounds).map(|_| round()).collect();
    let take = |part: fn(&(f64, f64, f64)) -> f64| measured.iter().map(part).collect::<Vec<_>>();
    vec![
        Figure::new("longest write, pack / calm", "ratio", take(|m| m.1 / m.0), Limit::AtMost(3.0)),
        Figure::new("longest write during the pack", "ms", take(|m| m.1), Limit::AtMost(100.0)),
        Figure::new("longest write undisturbed", "ms", take(|m| m.0), Limit::None),
        Figure::new("writes that failed", "writes", take(|m| m.2), Limit::AtMost(0.0)),
    ]
}

fn round() -> (f64, f64, f64) {
    let database = Database::copy_of(&template::shared("bench_aurum", |database| {
        aurum::load(database, &["supabase", "baseline", "data"]);
        database.run("create extension strata cascade");
    }));
    database.run("vacuum analyze");
    database.run("checkpoint");
    let application = Application { statements: &WRITES, clients: 4, every: Duration::from_millis(20) };
    let ((), calm) = application.during(&database, || std::thread::sleep(CALM));
    let strata = aurum::strata(&database, Vectors::Local);
    let (_, first) = application.during(&database, || strata.run(&["up", "--to-phase", "3"]).ok());
    vectors::complete_all(&database, Vectors::Local.dimensions());
    // Phase 8 asks for an embedding of every row, which nobody makes while the application goes on writing.
    let run = strata.start(&["up", "--to-phase", "7"]);
    run.until("phase 4");
    let (_, second) = application.during(&database, || run.end().ok());
    tell(&calm, &first, &second);
    let pack = first.and(second);
    pack.errors.iter().take(3).for_each(|error| say(error));
    (calm.max_ms(), pack.max_ms(), pack.errors.len() as f64)
}

fn tell(calm: &Stalls, first: &Stalls, second: &Stalls) {
    let parts = [("undisturbed", calm), ("phases 1 to 3", first), ("the others", second)];
    for (what, stalls) in parts {
        say(&format!(
            "{what}: longest write {:.1} ms, 999 of 1000 below {:.1} ms, {} writes",
            stalls.max_ms(),
            stalls.p999_ms(),
            stalls.count()
        ));
    }
}
