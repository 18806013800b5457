//! What a pack is and whether it is as it should be, told by the function and shown as ever.

use super::function::{Function, about};
use crate::args::{Args, SignOff, Status, Version};
use crate::output::Output;
use crate::{checklist as list, folder, open_run, status as shown, verify as checked, version as newest};
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::statement::{Row, column};
use strata_core::verify::Check;

/// Everything that the function tells of a pack.
pub async fn page(function: &Function, pack: &str) -> Result<Value, Error> {
    function.get(&format!("packs/{pack}")).await
}

/// `strata status`
pub async fn status(function: &Function, args: &Args, status: &Status, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let page = page(function, &pack).await?;
    let versions = rows(
        &page["versions"],
        &[
            "version",
            "name",
            "phase",
            "phase_name",
            "state",
            "applied_at",
            "execution_time_ms",
            "sqlstate",
            "error_message",
        ],
    );
    let phases = rows(&page["phases"], &["phase", "name", "days", "versions", "applied", "gate", "missing"]);
    let run = page["run"].is_object().then(|| row(&page["run"], &open_run::COLUMNS));
    shown::print(output, &pack, (&versions, &phases), run.as_ref());
    let pending = versions.iter().any(|row| column(row, 4) != "applied");
    Ok(if status.exit_code && pending { shown::PENDING } else { 0 })
}

/// `strata version`
pub async fn version(
    function: &Function,
    args: &Args,
    asked: &Version,
    output: &Output,
) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let page = page(function, &pack).await?;
    let versions = rows(&page["versions"], &["version", "state"]);
    let begun = versions.iter().filter(|row| column(row, 1) != "pending");
    let version = begun.clone().filter_map(|row| column(row, 0).parse::<i64>().ok()).max();
    let dirty = begun.clone().any(|row| column(row, 1) != "applied");
    newest::print(output, &pack, (version, dirty), asked)
}

/// `strata verify`
pub async fn verify(function: &Function, args: &Args, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let said = function.post("verify", &about(&pack)).await?;
    let one = |check: &Value| {
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let (name, expected, actual) = (text("check_name"), text("expected"), text("actual"));
        let ok = check["ok"] == true;
        (check["version"].as_i64().unwrap_or_default(), Check { name, expected, actual, ok })
    };
    let checks: Vec<(i64, Check)> = items(&said["checks"]).iter().map(one).collect();
    Ok(checked::print(output, &pack, &checks))
}

/// `strata checklist`
pub async fn checklist(function: &Function, args: &Args, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let page = page(function, &pack).await?;
    let names = ["item", "phase", "phase_name", "kind", "state", "detail", "signed_by", "signed_at"];
    list::print(output, &pack, &rows(&page["checklist"], &names));
    Ok(0)
}

/// `strata sign-off`
pub async fn sign_off(
    function: &Function,
    args: &Args,
    sign: &SignOff,
    output: &Output,
) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let evidence = sign.evidence.clone().unwrap_or_else(|| json!({}));
    let asked = json!({
        "pack": pack, "item": sign.item, "reason": sign.reason, "evidence": evidence, "withdraw": sign.withdraw,
    });
    let signed = function.post("sign-off", &asked).await?;
    let json = json!({
        "pack": pack, "item": sign.item, "signature": signed["signature"], "withdrawn": sign.withdraw,
    });
    output.result(json, &format!("{} is {}", sign.item, if sign.withdraw { "withdrawn" } else { "signed" }));
    Ok(0)
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Objects as rows of texts, as a statement would have answered them.
fn rows(list: &Value, names: &[&str]) -> Vec<Row> {
    items(list).iter().map(|item| row(item, names)).collect()
}

fn row(item: &Value, names: &[&str]) -> Row {
    names.iter().map(|name| cell(name, &item[*name])).collect()
}

fn cell(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(time) if name.ends_with("_at") => Some(seconds(time)),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A time to the second, as the other way shows it.
fn seconds(time: &str) -> String {
    let shown = time.parse::<jiff::Timestamp>().map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    shown.unwrap_or_else(|_| time.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_the_row_that_a_statement_answers() {
        let list = json!([{"version": 7, "name": "a", "applied_at": "2026-11-21T12:01:02.5+00:00", "sqlstate": null}]);
        let found = rows(&list, &["version", "name", "applied_at", "sqlstate"]);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found, [vec![text("7"), text("a"), text("2026-11-21 12:01:02Z"), None]]);
        assert_eq!(rows(&Value::Null, &["version"]), Vec::<Row>::new());
    }
}
