//! What a dry run found, as a table or as JSON; whoever has turned it, it is read as `Trial::json` has written it.

use crate::output::{Output, table};
use serde_json::Value;
use strata_core::Error;

/// Locks that a line of the table has room for.
const FEW: usize = 2;

/// Returns the exit code: of the error that a run would end with, where there is one.
pub fn print(output: &Output, pack: &str, mut found: Value, error: Option<&Error>) -> u8 {
    found["pack"] = pack.into();
    found["would_pass"] = error.is_none().into();
    let text = text(&found, error.is_none());
    match error {
        Some(error) => output.bad_result(found, &text, error),
        None => {
            output.result(found, &text);
            0
        }
    }
}

fn items<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word<'v>(of: &'v Value, name: &str) -> &'v str {
    of[name].as_str().unwrap_or_default()
}

fn text(found: &Value, good: bool) -> String {
    let steps = items(found, "steps");
    if steps.is_empty() {
        return match (good, items(found, "passed").is_empty()) {
            (false, _) => "dry run: nothing was tried".to_owned(),
            (true, true) => "no change".to_owned(),
            (true, false) => "no version would move; every gate is met".to_owned(),
        };
    }
    let head = ["VERSION", "STEP", "RESULT", "MS", "ROWS", "LOCKS", "STATEMENT"];
    let mut lines = vec![table(&head, steps.iter().map(line).collect())];
    lines.extend(steps.iter().flat_map(remarks));
    let used: Vec<&str> = items(found, "sequences").iter().filter_map(Value::as_str).collect();
    if !used.is_empty() {
        lines.push(format!("numbers of {} were used up; no rollback gives them back", used.join(", ")));
    }
    lines.push(sum(found, steps, good));
    lines.join("\n")
}

fn line(step: &Value) -> Vec<String> {
    let result = word(step, "result");
    let shown = match result {
        "passed" => "ok",
        "passed on the schema" => "ok, no rows",
        "failed" => "FAILED",
        other => other,
    };
    let tried = matches!(result, "passed" | "failed");
    let number = |name: &str| if tried { step[name].to_string() } else { String::new() };
    vec![
        step["version"].to_string(),
        format!("{}/{}", step["step"], step["of"]),
        shown.to_owned(),
        number("ms"),
        number("rows"),
        locks(items(step, "locks")),
        word(step, "summary").to_owned(),
    ]
}

/// Those that stop somebody.
fn locks(locks: &[Value]) -> String {
    let felt: Vec<&Value> = locks.iter().filter(|lock| !word(lock, "stops").is_empty()).collect();
    let text = |lock: &&Value| format!("{} {}", word(lock, "relation"), word(lock, "mode"));
    let few: Vec<String> = felt.iter().take(FEW).map(text).collect();
    match felt.len() {
        0..=FEW => few.join(", "),
        all => format!("{} and {} more", few.join(", "), all - FEW),
    }
}

fn remarks(step: &Value) -> Vec<String> {
    let at = format!("version {} step {}", step["version"], step["step"]);
    let why = word(step, "why");
    let told = match word(step, "result") {
        "not tried" if why != "not reached" => Some(format!("{at}: not tried: {why}")),
        "left out" => Some(format!("{at}: left out: {why}")),
        _ => None,
    };
    let all = items(step, "remarks").iter().filter_map(Value::as_str);
    told.into_iter().chain(all.map(|remark| format!("{at}: {remark}"))).collect()
}

fn sum(found: &Value, steps: &[Value], good: bool) -> String {
    let count = |result: &str| steps.iter().filter(|step| word(step, "result") == result).count();
    let mut versions: Vec<&Value> = steps.iter().map(|step| &step["version"]).collect();
    versions.dedup();
    let done = if found["direction"] == "up" { "applied" } else { "taken back" };
    let counted = |result: &str, told: &str| match count(result) {
        0 => String::new(),
        n => format!(", {n} {told}"),
    };
    let rest = [
        counted("failed", "failed"),
        counted("passed on the schema", "on an empty copy of the schema"),
        counted("left out", "left out"),
        counted("not tried", "not tried"),
    ]
    .concat();
    let steps = match (count("passed"), steps.len()) {
        (1, 1) => "its one step passed".to_owned(),
        (passed, all) if passed == all => format!("all {all} steps passed"),
        (1, _) => format!("1 step passed{rest}"),
        (passed, _) => format!("{passed} steps passed{rest}"),
    };
    match good {
        true => format!("dry run: {} {done}; {steps}; nothing was changed", would(versions.len())),
        false => format!("dry run: {steps}; nothing was changed"),
    }
}

fn would(versions: usize) -> String {
    match versions {
        1 => "1 version would be".to_owned(),
        n => format!("{n} versions would be"),
    }
}
