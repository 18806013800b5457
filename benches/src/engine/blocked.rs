//! A step that needs a lock which a reader holds: how long writers wait behind it, beyond its lock budget.

use crate::figure::{Figure, Limit};
use crate::say;
use strata_tests::stall::behind_a_long_reader;
use strata_tests::{Database, Folder, Strata};

/// Longest that the step may wait for its lock.
const BUDGET_MS: f64 = 200.0;

/// Tries before the reader ends.
const TRIES: usize = 4;

/// The slowest write less the budget.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let pack = Folder::of(&[("001_column.up.sql", "alter table t add y int")]);
    let beyond = |_| {
        let database = Database::installed();
        database.run("create table t (x int)");
        let strata = Strata::on(&database).path(pack.path());
        let budget = BUDGET_MS.to_string();
        let blocked =
            behind_a_long_reader(&database, TRIES, || strata.start(&["up", "--table-lock-timeout", &budget]));
        let slowest = blocked.slowest.as_secs_f64() * 1000.0;
        say(&format!("{} tries, {} writes, the slowest {slowest:.1} ms", blocked.tries, blocked.writes));
        blocked.outcome.ok();
        slowest - BUDGET_MS
    };
    let samples = (0..rounds).map(beyond).collect();
    vec![Figure::new("slowest write less lock budget", "ms", samples, Limit::AtMost(50.0))]
}
