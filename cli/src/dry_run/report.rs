//! What a dry run found, as a table or as JSON.

use crate::output::{Output, table};
use strata_core::Error;
use strata_core::plan::Direction;
use strata_core::run::{Finding, Lock, Trial, Verdict};

/// Locks that a line of the table has room for.
const FEW: usize = 2;

/// Returns the exit code: of the error that a run would end with, where there is one.
pub fn print(output: &Output, pack: &str, trial: &Trial, error: Option<&Error>) -> u8 {
    let incomplete = trial.incomplete();
    let error = error.or(incomplete.as_ref());
    let mut json = trial.json();
    json["pack"] = pack.into();
    json["would_pass"] = error.is_none().into();
    let text = text(trial, error.is_none());
    match error {
        Some(error) => output.bad_result(json, &text, error),
        None => {
            output.result(json, &text);
            0
        }
    }
}

fn not_tried(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NotTried(_))
}

fn text(trial: &Trial, good: bool) -> String {
    if trial.steps.is_empty() {
        return match (good, trial.passed.is_empty()) {
            (false, _) => "dry run: nothing was tried".to_owned(),
            (true, true) => "no change".to_owned(),
            (true, false) => "no version would move; every gate is met".to_owned(),
        };
    }
    let head = ["VERSION", "STEP", "RESULT", "MS", "ROWS", "LOCKS", "STATEMENT"];
    let mut lines = vec![table(&head, trial.steps.iter().map(line).collect())];
    lines.extend(trial.steps.iter().flat_map(remarks));
    if !trial.sequences.is_empty() {
        let names = trial.sequences.join(", ");
        lines.push(format!("numbers of {names} were used up; no rollback gives them back"));
    }
    lines.push(sum(trial, good));
    lines.join("\n")
}

fn line(step: &Finding) -> Vec<String> {
    let result = match step.verdict {
        Verdict::Passed => "ok",
        Verdict::OnSchema => "ok, no rows",
        Verdict::LeftOut(_) => "left out",
        Verdict::NotTried(_) => "not tried",
        Verdict::Failed(_) => "FAILED",
    };
    let tried = matches!(step.verdict, Verdict::Passed | Verdict::Failed(_));
    let number = |number: String| if tried { number } else { String::new() };
    vec![
        step.version.to_string(),
        format!("{}/{}", step.step, step.of),
        result.to_owned(),
        number(step.ms.to_string()),
        number(step.rows.to_string()),
        locks(&step.locks),
        step.summary.clone(),
    ]
}

/// Those that stop somebody.
fn locks(locks: &[Lock]) -> String {
    let felt: Vec<&Lock> = locks.iter().filter(|lock| !lock.stops.is_empty()).collect();
    let text = |lock: &&Lock| format!("{} {}", lock.relation, lock.mode);
    let few: Vec<String> = felt.iter().take(FEW).map(text).collect();
    match felt.len() {
        0..=FEW => few.join(", "),
        all => format!("{} and {} more", few.join(", "), all - FEW),
    }
}

fn remarks(step: &Finding) -> Vec<String> {
    let at = format!("version {} step {}", step.version, step.step);
    let why = match &step.verdict {
        Verdict::NotTried(why) if why != "not reached" => Some(format!("{at}: not tried: {why}")),
        Verdict::LeftOut(why) => Some(format!("{at}: left out: {why}")),
        _ => None,
    };
    why.into_iter().chain(step.remarks.iter().map(|remark| format!("{at}: {remark}"))).collect()
}

fn sum(trial: &Trial, good: bool) -> String {
    let passed = trial.count(|verdict| *verdict == Verdict::Passed);
    let left = trial.count(not_tried);
    let mut versions: Vec<i64> = trial.steps.iter().map(|step| step.version).collect();
    versions.dedup();
    let done = if trial.direction == Direction::Up { "applied" } else { "taken back" };
    let schema = match trial.count(|verdict| *verdict == Verdict::OnSchema) {
        0 => String::new(),
        n => format!(", {n} on an empty copy of the schema"),
    };
    let out = match trial.count(|verdict| matches!(verdict, Verdict::LeftOut(_))) {
        0 => String::new(),
        n => format!(", {n} left out"),
    };
    let left = if left == 0 { String::new() } else { format!(", {left} not tried") };
    let failed = match trial.count(|verdict| matches!(verdict, Verdict::Failed(_))) {
        0 => String::new(),
        n => format!(", {n} failed"),
    };
    let counted = if passed == 1 { "1 step".to_owned() } else { format!("{passed} steps") };
    let steps = match (trial.steps.len() == passed, passed) {
        (true, 1) => "its one step passed".to_owned(),
        (true, n) => format!("all {n} steps passed"),
        (false, _) => format!("{counted} passed{failed}{schema}{out}{left}"),
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
