//! `call strata.backfill(...)` against one UPDATE of the whole table, while an application writes single rows.

use crate::figure::{Figure, Limit};
use crate::say;
use crate::writers::{Application, Stalls};
use std::time::{Duration, Instant};
use strata_tests::{Database, template};

/// Rows of the table.
const ROWS: u32 = 500_000;

/// Rows of some hundred bytes, with a column to be filled.
const TABLE: &str = "create table item (id bigint primary key, counter int not null default 0, body text not null, filled bigint);
    insert into item (id, body) select i, repeat(md5(i::text), 3) from generate_series(1, 500000) i;
    create extension strata cascade;";

/// Of one client.
const WRITE: &str =
    "update item set counter = counter + 1 where id = (select 1 + (random() * 499999)::bigint)";

const SINGLE: &str = "update item set filled = id * 2";

const BACKFILL: &str = "call strata.backfill('fill', 'item', 'id',
    'update item set filled = id * 2 where id between $1::bigint and $2::bigint')";

/// Rows per second over those of one UPDATE; the longest that a writer waited, in each.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let measured: Vec<(f64, f64, f64)> = (0..rounds).map(round).collect();
    let take = |part: fn(&(f64, f64, f64)) -> f64| measured.iter().map(part).collect::<Vec<_>>();
    vec![
        Figure::new("backfill / single UPDATE, rows/s", "ratio", take(|m| m.0), Limit::AtLeast(0.90)),
        Figure::new("longest write during the backfill", "ms", take(|m| m.1), Limit::AtMost(50.0)),
        Figure::new("longest write during the UPDATE", "ms", take(|m| m.2), Limit::None),
    ]
}

fn round(round: usize) -> (f64, f64, f64) {
    let (ours, theirs) = if round.is_multiple_of(2) {
        let ours = timed(BACKFILL);
        (ours, timed(SINGLE))
    } else {
        let theirs = timed(SINGLE);
        (timed(BACKFILL), theirs)
    };
    let tell = |what: &str, (seconds, stalls): &(f64, Stalls)| {
        say(&format!(
            "{what}: {:.0} rows/s, longest write {:.1} ms, 999 of 1000 below {:.1} ms, {} writes",
            f64::from(ROWS) / seconds,
            stalls.max_ms(),
            stalls.p999_ms(),
            stalls.count()
        ));
    };
    tell("backfill", &ours);
    tell("single UPDATE", &theirs);
    (theirs.0 / ours.0, ours.1.max_ms(), theirs.1.max_ms())
}

/// Seconds that the statement took, and how the application fared.
fn timed(statement: &str) -> (f64, Stalls) {
    let database = Database::copy_of(&template::shared("bench_item", |database| database.run(TABLE)));
    database.run("vacuum analyze item");
    database.run("checkpoint");
    let application = Application { statements: &[WRITE], clients: 4, every: Duration::from_millis(20) };
    let (seconds, stalls) = application.during(&database, || {
        let since = Instant::now();
        database.run(statement);
        since.elapsed().as_secs_f64()
    });
    assert_eq!(stalls.errors, Vec::<String>::new());
    assert_eq!(database.value::<i64>("select count(*) from item where filled is distinct from id * 2"), 0);
    (seconds, stalls)
}
