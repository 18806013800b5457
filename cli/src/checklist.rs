//! `checklist`: what must hold before each phase may start, and whether it does.

use crate::args::Args;
use crate::folder;
use crate::output::{Output, table};
use crate::session::Session;
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::statement::{Row, Statement};

/// Prints the items of the pack as the database knows it, in the order of its phases.
pub async fn run(args: &Args, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let session = Session::open_installed(args).await?;
    let statement =
        Statement::ours(include_str!("../../sql/query/checklist.sql"), vec![pack.as_str().into()]);
    let rows = session.ask("reading the checklist", &statement).await?;
    print(output, &pack, &rows);
    Ok(0)
}

/// Items as rows of their statement.
pub fn print(output: &Output, pack: &str, rows: &[Row]) {
    let items: Vec<Value> = rows.iter().map(object).collect();
    let text = match rows.is_empty() {
        true => "nothing needs to hold: no phase has a gate".to_owned(),
        false => {
            table(&["ITEM", "KIND", "STATE", "DETAIL", "SIGNED BY", "AT"], rows.iter().map(line).collect())
        }
    };
    let open = rows.iter().filter(|row| cell(row, 4) == Some("open")).count();
    output.result(json!({"pack": pack, "open": open, "items": items}), &text);
}

fn cell(row: &Row, index: usize) -> Option<&str> {
    row.get(index)?.as_deref()
}

fn object(row: &Row) -> Value {
    json!({
        "item": cell(row, 0), "phase": cell(row, 1).and_then(|n| n.parse::<i64>().ok()), "phase_name": cell(row, 2),
        "kind": cell(row, 3), "state": cell(row, 4), "detail": cell(row, 5), "signed_by": cell(row, 6),
        "signed_at": cell(row, 7),
    })
}

fn line(row: &Row) -> Vec<String> {
    [0, 3, 4, 5, 6, 7].map(|index| cell(row, index).unwrap_or_default().to_owned()).to_vec()
}
