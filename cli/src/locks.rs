//! `locks`: who waits for whom; and on request, the end of one of them.

use crate::args::{Args, Locks};
use crate::confirm::{self, Question};
use crate::output::Output;
use crate::session::Session;
use serde_json::{Value as Json, json};
use std::io::{IsTerminal, Write};
use std::time::Duration;
use strata_core::statement::{Row, Statement, Value, column};
use strata_core::{Error, Kind};

/// Between two looks of `--watch`.
const REFRESH: Duration = Duration::from_secs(2);

/// Longest part of a statement that is shown. Unit: characters.
const QUERY: usize = 100;

/// Shows the tree, or ends what a session does.
pub async fn run(args: &Args, locks: &Locks, output: &Output) -> Result<u8, Error> {
    let session = Session::open_installed(args).await?;
    match locks.cancel.or(locks.terminate) {
        Some(pid) => end(&session, locks, pid, output).await,
        None => show(&session, locks.watch, output).await,
    }
}

async fn tree(session: &Session) -> Result<Vec<Row>, Error> {
    let query = Statement::ours(include_str!("../../sql/query/locks.sql"), Vec::new());
    session.ask("reading the locks", &query).await
}

async fn show(session: &Session, watch: bool, output: &Output) -> Result<u8, Error> {
    loop {
        let rows = tree(session).await?;
        if watch && std::io::stdout().is_terminal() {
            // Clears the screen, as `watch` does.
            let _ = write!(std::io::stdout(), "\x1b[2J\x1b[H");
        }
        let sessions: Vec<Json> = rows.iter().map(object).collect();
        let lines: Vec<String> = rows.iter().map(line).collect();
        let text = if lines.is_empty() { "nobody waits".to_owned() } else { lines.join("\n") };
        output.result(json!({ "sessions": sessions }), &text);
        if !watch {
            return Ok(0);
        }
        tokio::time::sleep(REFRESH).await;
    }
}

fn object(row: &Row) -> Json {
    let number = |index| column(row, index).parse::<i64>().ok();
    let seconds = |index| column(row, index).parse::<f64>().ok();
    json!({
        "depth": number(0), "pid": number(1), "waits_for": serde_json::from_str::<Json>(column(row, 2)).ok(),
        "blocks": number(3), "role": row[4], "application": row[5], "state": row[6],
        "idle_in_transaction": column(row, 7) == "true", "relation": row[8], "mode": row[9],
        "waiting_seconds": seconds(10), "transaction_seconds": seconds(11), "query": row[12],
    })
}

/// One session, indented below the one that it waits for.
fn line(row: &Row) -> String {
    let depth = column(row, 0).parse::<usize>().unwrap_or(0);
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let lock = format!("{} on {}", column(row, 9), column(row, 8));
    let lock = match (depth, column(row, 8)) {
        (0, "") => None,
        (0, _) => Some(format!("holds {lock}")),
        _ => Some(format!("waits {} s for {lock}", column(row, 10))),
    };
    let age = known(column(row, 11)).map(|seconds| format!("transaction open for {seconds} s"));
    let blocks = known(column(row, 3)).filter(|n| n != "0").map(|n| format!("blocks {n}"));
    let state = match column(row, 7) {
        "true" => Some(column(row, 6).to_uppercase()),
        _ => known(column(row, 6)),
    };
    let told = [known(column(row, 4)), known(column(row, 5)), state, lock, blocks, age];
    let told: Vec<String> = told.into_iter().flatten().collect();
    let query: String =
        column(row, 12).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUERY).collect();
    let query = if query.is_empty() { query } else { format!(": {query}") };
    let branch = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    format!("{branch}pid {} ({}){query}", column(row, 1), told.join(", "))
}

/// Cancels the statement of a session, or ends it, once that is confirmed.
async fn end(session: &Session, locks: &Locks, pid: i32, output: &Output) -> Result<u8, Error> {
    let (action, query) = match locks.cancel {
        Some(_) => ("cancel", include_str!("../../sql/query/cancel_session.sql")),
        None => ("terminate", include_str!("../../sql/query/terminate_session.sql")),
    };
    let who = check(session, locks, pid).await?;
    if !locks.yes {
        let (asks, refused) = (format!("{action} {who}? [y/N]"), format!("not confirmed: {action} {who}"));
        confirm::ask(&Question { asks: &asks, refused: &refused, flag: "say --yes" }, output)?;
    }
    let rows = session.ask(action, &Statement::ours(query, vec![Value::Int(pid.into())])).await?;
    if rows.first().is_none_or(|row| column(row, 0) != "true") {
        return Err(gone(pid));
    }
    let done = if action == "cancel" { "cancelled" } else { "terminated" };
    output.result(json!({"pid": pid, "action": action, "session": who}), &format!("{done} {who}"));
    Ok(0)
}

fn gone(pid: i32) -> Error {
    Error::new(Kind::NotFound, format!("there is no session with pid {pid} in this database"))
        .hint("strata locks shows who is in the way")
}

/// Who it is. Refuses one that is in nobody's way, and a cancel that would do nothing.
async fn check(session: &Session, locks: &Locks, pid: i32) -> Result<String, Error> {
    let query = include_str!("../../sql/query/session_state.sql");
    let question = Statement::ours(query, vec![Value::Int(pid.into())]);
    let found = session.ask("looking for the session", &question).await?;
    let row = found.first().ok_or_else(|| gone(pid))?;
    let who = column(row, 0).to_owned();
    if locks.force {
        return Ok(who);
    }
    let blocks = |row: &Row| column(row, 1) == pid.to_string() && column(row, 3) != "0";
    if !tree(session).await?.iter().any(blocks) {
        return Err(Error::new(Kind::BadArgument, format!("nobody waits for {who}"))
            .hint("strata locks shows who is in the way; --force does it all the same"));
    }
    if locks.cancel.is_some() && column(row, 1) == "true" {
        return Err(Error::new(Kind::BadArgument, format!("there is no statement to cancel in {who}"))
            .hint(format!("strata locks --terminate {pid} ends the session, and with it the transaction")));
    }
    Ok(who)
}
