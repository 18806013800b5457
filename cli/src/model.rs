//! `model`: models are registered, and the model of sources is changed while they are searched.

mod status;

use crate::args::Args;
use crate::args::model::{Add, Budget, Change, End, Model, Turn};
use crate::confirm::{self, Question};
use crate::output::{Output, table};
use crate::session::Session;
use serde_json::json;
use std::time::{Duration, Instant};
use strata_core::statement::{Row, Statement, Value};
use strata_core::{Error, Kind};

/// Between two tries to hold the tables of a change.
const AGAIN: Duration = Duration::from_millis(250);

/// `strata model ...`
pub async fn run(args: &Args, model: &Model, output: &Output) -> Result<u8, Error> {
    let session = Session::open_installed(args).await?;
    match model {
        Model::Add(wish) => add(&session, wish, output).await,
        Model::Status(wish) => status::run(&session, wish, output).await,
        Model::Change(wish) => change(args, &session, wish, output).await,
        Model::Switch(wish) => turn(&session, wish, output, true).await,
        Model::Revert(wish) => turn(&session, wish, output, false).await,
        Model::End(wish) => end(args, &session, wish, output).await,
        Model::Budget(wish) => budget(&session, wish, output).await,
    }?;
    Ok(0)
}

/// The cell of a row.
fn cell(row: &Row, at: usize) -> Option<&str> {
    row.get(at)?.as_deref()
}

/// The number in a cell.
fn number(row: &Row, at: usize) -> Option<i64> {
    cell(row, at)?.parse().ok()
}

async fn add(session: &Session, wish: &Add, output: &Output) -> Result<(), Error> {
    let parameters = vec![
        wish.name.as_str().into(),
        wish.provider.as_str().into(),
        i64::from(wish.dimensions).into(),
        wish.max_tokens.map(i64::from).into(),
    ];
    let sql = include_str!("../../sql/query/add_model.sql");
    session.ask("registering the model", &Statement::ours(sql, parameters)).await?;
    let (name, dimensions) = (&wish.name, wish.dimensions);
    output.result(
        json!({"model": name, "provider": wish.provider, "dimensions": dimensions}),
        &format!("model {name} is known, with {dimensions} dimensions"),
    );
    Ok(())
}

/// Says what it would take, then begins.
async fn change(args: &Args, session: &Session, wish: &Change, output: &Output) -> Result<(), Error> {
    let parameters = vec![wish.from.as_str().into(), wish.to.as_str().into(), wish.price.as_deref().into()];
    let sql = include_str!("../../sql/query/estimate_model_change.sql");
    let rows = session.ask("estimating the change", &Statement::ours(sql, parameters)).await?;
    let sum = |at: usize| rows.iter().filter_map(|row| number(row, at)).sum::<i64>();
    let price = rows.iter().filter_map(|row| cell(row, 3)?.parse::<f64>().ok()).reduce(|sum, p| sum + p);
    let cost = price.map(|price| format!(", {price:.2} at that price")).unwrap_or_default();
    let told = format!("{} rows with a text, about {} tokens for {}{cost}", sum(1), sum(2), wish.to);
    let sources: Vec<_> = rows.iter().map(estimated).collect();
    let mut json = json!({
        "from": wish.from, "to": wish.to, "sources": sources, "rows": sum(1), "tokens": sum(2), "price": price,
    });
    if wish.estimate {
        let lines = rows.iter().map(|row| (0..4).map(|n| cell(row, n).unwrap_or("-").to_owned()).collect());
        let table = table(&["TYPE", "ROWS", "TOKENS", "PRICE"], lines.collect());
        json["started"] = false.into();
        output.result(json, &format!("{table}\n{told}"));
        return Ok(());
    }
    output.log(&told);
    let started = start(args, session, wish).await?;
    json["started"] = true.into();
    output.result(
        json,
        &format!(
            "{started} sources of {} are embedded with {} too, as soon as \"strata worker\" or \"strata embed\" does it; \
             \"strata model status\" tells how far it is, \"strata model switch {}\" comes then",
            wish.from, wish.to, wish.to
        ),
    );
    Ok(())
}

fn estimated(row: &Row) -> serde_json::Value {
    json!({
        "entity_type": cell(row, 0), "rows": number(row, 1), "tokens": number(row, 2),
        "price": cell(row, 3).and_then(|price| price.parse::<f64>().ok()), "sampled": cell(row, 4) == Some("true"),
    })
}

/// How many sources there are.
async fn start(args: &Args, session: &Session, wish: &Change) -> Result<i64, Error> {
    let columns: serde_json::Map<String, serde_json::Value> =
        wish.column.iter().map(|(entity_type, column)| (entity_type.clone(), json!(column))).collect();
    let parameters = vec![
        wish.from.as_str().into(),
        wish.to.as_str().into(),
        Value::Json(columns.into()),
        wish.store.as_str().into(),
        wish.budget.into(),
    ];
    let statement = Statement::ours(include_str!("../../sql/query/start_model_change.sql"), parameters);
    let rows = insist(args, session, "starting the change", &statement).await?;
    Ok(rows.first().and_then(|row| number(row, 0)).unwrap_or(0))
}

/// Tries again where somebody uses a table, for as long as --lock-timeout says; behind each try whoever waits goes first.
async fn insist(
    args: &Args,
    session: &Session,
    doing: &str,
    statement: &Statement,
) -> Result<Vec<Row>, Error> {
    let began = Instant::now();
    loop {
        match session.ask(doing, statement).await {
            Err(error) if error.kind() == Kind::Locked && began.elapsed().as_secs() < args.lock_timeout => {
                tokio::time::sleep(AGAIN).await;
            }
            told => return told,
        }
    }
}

/// To the new model, or back.
async fn turn(session: &Session, wish: &Turn, output: &Output, forth: bool) -> Result<(), Error> {
    let (sql, doing) = match forth {
        true => (include_str!("../../sql/query/switch_model.sql"), "switching the model"),
        false => (include_str!("../../sql/query/revert_model.sql"), "reverting the model"),
    };
    let parameters = vec![wish.to.as_str().into(), wish.missing_at_most.into()];
    let rows = session.ask(doing, &Statement::ours(sql, parameters)).await?;
    let row = rows.first().cloned().unwrap_or_default();
    let (sources, missing) = (number(&row, 0).unwrap_or(0), number(&row, 1).unwrap_or(0));
    let held = cell(&row, 2).and_then(|held| held.parse::<f64>().ok()).unwrap_or(0.0);
    let under = if forth { wish.to.as_str() } else { "the old model" };
    let lacking =
        if missing > 0 { format!("; {missing} rows have no vector of it yet") } else { String::new() };
    output.result(
        json!({"to": wish.to, "switched": forth, "sources": sources, "missing": missing, "held_ms": held}),
        &format!("{sources} sources are searched under {under}; held for {held:.1} ms{lacking}"),
    );
    Ok(())
}

async fn end(args: &Args, session: &Session, wish: &End, output: &Output) -> Result<(), Error> {
    if !wish.yes {
        let question = Question {
            asks: "The vectors of the model that is not searched by are dropped, there is no way back then. Go on? [y/N]",
            refused: "the change goes on",
            flag: "say --yes",
        };
        confirm::ask(&question, output)?;
    }
    let sql = include_str!("../../sql/query/end_model_change.sql");
    let statement = Statement::ours(sql, vec![wish.to.as_str().into()]);
    let rows = insist(args, session, "ending the change", &statement).await?;
    let stays = rows.first().and_then(|row| cell(row, 0)).unwrap_or_default();
    output.result(json!({"to": wish.to, "model": stays}), &format!("the sources stay with {stays}"));
    Ok(())
}

async fn budget(session: &Session, wish: &Budget, output: &Output) -> Result<(), Error> {
    let sql = include_str!("../../sql/query/limit_model_change.sql");
    let parameters = vec![wish.to.as_str().into(), wish.tokens.into()];
    session.ask("setting the budget", &Statement::ours(sql, parameters)).await?;
    let told = wish.tokens.map_or_else(|| "no limit".to_owned(), |tokens| format!("{tokens} tokens"));
    output.result(
        json!({"to": wish.to, "budget_tokens": wish.tokens}),
        &format!("budget of {}: {told}", wish.to),
    );
    Ok(())
}
