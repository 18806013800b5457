//! `model status`: the models, the changes, and how far each tenant is.

use super::{cell, number};
use crate::args::model::ModelStatus;
use crate::output::{Output, table};
use crate::session::Session;
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::statement::{Row, Statement};

/// Shows what there is.
pub async fn run(session: &Session, wish: &ModelStatus, output: &Output) -> Result<(), Error> {
    let ask = |sql: &'static str| async move {
        session.ask("reading the models", &Statement::ours(sql, Vec::new())).await
    };
    let models = ask(include_str!("../../../sql/query/models.sql")).await?;
    let changes = ask(include_str!("../../../sql/query/model_changes.sql")).await?;
    let mut tenants = Vec::new();
    if wish.tenants {
        for change in &changes {
            tenants.push(progress(session, cell(change, 1).unwrap_or_default()).await?);
        }
    }
    let shown = changes.iter().enumerate().map(|(n, row)| change(row, tenants.get(n)));
    let json = json!({
        "models": models.iter().map(model).collect::<Vec<_>>(), "changes": shown.collect::<Vec<_>>(),
    });
    output.result(json, &text(&models, &changes, &tenants));
    Ok(())
}

/// How far a change is, a row for each source and tenant.
async fn progress(session: &Session, to: &str) -> Result<Vec<Row>, Error> {
    let sql = include_str!("../../../sql/query/model_change_progress.sql");
    session.ask("counting rows and vectors", &Statement::ours(sql, vec![to.into()])).await
}

fn model(row: &Row) -> Value {
    json!({
        "name": cell(row, 0), "provider": cell(row, 1), "dimensions": number(row, 2), "searched": number(row, 3),
        "beside": number(row, 4), "queued": number(row, 5), "leased": number(row, 6), "dead": number(row, 7),
        "fault": cell(row, 8),
    })
}

fn change(row: &Row, tenants: Option<&Vec<Row>>) -> Value {
    let mut json = json!({
        "from": cell(row, 0), "to": cell(row, 1), "state": cell(row, 2), "sources": number(row, 3),
        "walked": number(row, 4), "queued": number(row, 5), "leased": number(row, 6), "dead": number(row, 7),
        "spent_tokens": number(row, 8), "budget_tokens": number(row, 9), "stopped": cell(row, 10) == Some("true"),
        "started_at": cell(row, 11), "switched_at": cell(row, 12),
    });
    let tenant = |row: &Row| json!({"entity_type": cell(row, 0), "tenant": cell(row, 1), "rows": number(row, 2), "embedded": number(row, 3)});
    if let Some(rows) = tenants {
        json["tenants"] = rows.iter().map(tenant).collect();
    }
    json
}

fn text(models: &[Row], changes: &[Row], tenants: &[Vec<Row>]) -> String {
    let line = |row: &Row| (0..9).map(|n| cell(row, n).unwrap_or_default().to_owned()).collect();
    let head = ["MODEL", "PROVIDER", "DIMENSIONS", "SEARCHED", "BESIDE", "QUEUED", "LEASED", "DEAD", "FAULT"];
    let mut text = match models.is_empty() {
        true => "no model is known: \"strata model add\" makes one known".to_owned(),
        false => table(&head, models.iter().map(line).collect()),
    };
    for (n, row) in changes.iter().enumerate() {
        text.push_str(&format!("\n\n{}", told(row)));
        if let Some(rows) = tenants.get(n) {
            let line = |row: &Row| (0..4).map(|n| cell(row, n).unwrap_or_default().to_owned()).collect();
            let table = table(&["TYPE", "TENANT", "ROWS", "EMBEDDED"], rows.iter().map(line).collect());
            text.push_str(&format!("\n{table}"));
        }
    }
    text
}

/// A change in words.
fn told(row: &Row) -> String {
    let said = |at: usize| cell(row, at).unwrap_or_default();
    let budget = match (cell(row, 9), cell(row, 10)) {
        (Some(budget), Some("true")) => {
            format!(" of {budget}: the budget is used up, nothing more is claimed")
        }
        (Some(budget), _) => format!(" of {budget}"),
        (None, _) => String::new(),
    };
    let state = match cell(row, 2) {
        Some("switched") => format!("searched under {}, {} is kept current", said(1), said(0)),
        _ => format!("searched under {}, {} of {} sources walked", said(0), said(4), said(3)),
    };
    format!(
        "{} to {}: {state}; {} jobs wait, {} are held, {} are dead; {} tokens sent{budget}",
        said(0),
        said(1),
        said(5),
        said(6),
        said(7),
        said(8)
    )
}
