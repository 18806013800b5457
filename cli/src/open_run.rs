//! The run of a pack that has not ended: who is at work, or that nobody is any more; or that has left a version half-way, and
//! why.

use crate::output::short;
use crate::session::Session;
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::statement::{Row, Statement, column};

/// What `strata.unfinished_run` tells, in the order of `sql/query/unfinished_run.sql`.
pub const COLUMNS: [&str; 12] = [
    "run",
    "direction",
    "state",
    "alive",
    "pid",
    "requested_by",
    "version",
    "step",
    "steps",
    "summary",
    "sqlstate",
    "message",
];

/// As a row of `sql/query/unfinished_run.sql`; none where every run has ended well.
pub async fn read(session: &Session, pack: &str) -> Result<Option<Row>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/unfinished_run.sql"), vec![pack.into()]);
    Ok(session.ask("reading the run", &statement).await?.into_iter().next())
}

/// For --json.
pub fn object(run: &Row) -> Value {
    let number = |index| column(run, index).parse::<i64>().ok();
    json!({
        "id": column(run, 0), "direction": column(run, 1), "state": column(run, 2), "alive": column(run, 3) == "true",
        "pid": number(4), "requested_by": column(run, 5), "version": number(6), "step": number(7), "steps": number(8),
        "summary": run.get(9).cloned().flatten(), "sqlstate": run.get(10).cloned().flatten(),
        "message": run.get(11).cloned().flatten(),
    })
}

/// One line for a person.
pub fn line(run: &Row) -> String {
    let [id, direction, state] = [0, 1, 2].map(|index| column(run, index));
    let step = match column(run, 6) {
        "" => String::new(),
        version => {
            format!(", version {version} step {} of {}: {}", column(run, 7), column(run, 8), column(run, 9))
        }
    };
    match (state, column(run, 3)) {
        ("running", "true") => {
            format!(
                "run {id} ({direction}) is at work as pid {}, for {}{step}",
                column(run, 4),
                column(run, 5)
            )
        }
        ("running", _) => {
            format!(
                "run {id} ({direction}) has lost its executor{step}; \"strata {direction}\" goes on where it ended"
            )
        }
        ("failed", _) => format!(
            "run {id} ({direction}) has failed{step}: {} {}; \"strata {direction}\" goes on there",
            column(run, 10),
            short(column(run, 11))
        ),
        ("cancelled", _) => {
            format!("run {id} ({direction}) was cancelled{step}; \"strata {direction}\" goes on there")
        }
        (state, _) => format!("run {id} ({direction}) is {state}{step}"),
    }
}
