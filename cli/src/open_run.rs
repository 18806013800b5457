//! The run of a pack that has not ended: who is at work, or that nobody is any more.

use crate::session::Session;
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::statement::{Row, Statement};

/// As a row of `sql/query/open_run.sql`; none where every run has ended.
pub async fn read(session: &Session, pack: &str) -> Result<Option<Row>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/open_run.sql"), vec![pack.into()]);
    Ok(session.ask("reading the run", &statement).await?.into_iter().next())
}

fn cell(row: &Row, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}

/// For --json.
pub fn object(run: &Row) -> Value {
    let number = |index| cell(run, index).parse::<i64>().ok();
    json!({
        "id": cell(run, 0), "direction": cell(run, 1), "state": cell(run, 2), "alive": cell(run, 3) == "true",
        "pid": number(4), "requested_by": cell(run, 5), "version": number(6), "step": number(7), "steps": number(8),
        "summary": run.get(9).cloned().flatten(),
    })
}

/// One line for a person.
pub fn line(run: &Row) -> String {
    let [id, direction, state] = [0, 1, 2].map(|index| cell(run, index));
    let step = match cell(run, 6) {
        "" => String::new(),
        version => format!(", version {version} step {} of {}: {}", cell(run, 7), cell(run, 8), cell(run, 9)),
    };
    match (state, cell(run, 3)) {
        ("running", "true") => {
            format!("run {id} ({direction}) is at work as pid {}, for {}{step}", cell(run, 4), cell(run, 5))
        }
        ("running", _) => {
            format!(
                "run {id} ({direction}) has lost its executor{step}; \"strata {direction}\" goes on where it ended"
            )
        }
        (state, _) => format!("run {id} ({direction}) is {state}{step}"),
    }
}
