//! A run that goes on in the database, followed from here to where nothing more happens by itself.

use super::function::{self, Function};
use crate::drive::Stop;
use crate::output::Output;
use serde_json::Value;
use std::time::Duration;
use strata_core::run::next_command;
use strata_core::{Error, Kind};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Tells what happens until the run rests. An interrupt cancels it, a second one leaves it alone. An error where it did not
/// succeed.
pub async fn follow(function: &Function, run: &str, output: &Output) -> Result<(), Error> {
    let (mut stop, mut pulled, mut told) = (Stop::listen(), false, Told::default());
    loop {
        let progress = function.get(&format!("runs/{run}")).await?;
        told.tell(&progress, output);
        match text(&progress, "state") {
            "queued" | "running" => {}
            "succeeded" | "passed" => return Ok(()),
            "waiting" => return Err(waiting(function, text(&progress, "pack")).await?),
            _ if pulled && text(&progress, "sqlstate") == Kind::Interrupted.sqlstate() => {
                return Err(Error::new(Kind::Interrupted, text(&progress, "message")));
            }
            _ => return Err(ended(&progress, run)),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.asked() => {
                if pulled {
                    return Err(Error::new(Kind::Interrupted, format!("run {run} goes on in the database"))
                        .hint("\"strata status\" shows where it is"));
                }
                pulled = true;
                output.log("Stopping: the run is told to (again: leave it alone)");
                function.post(&format!("runs/{run}/cancel"), &Value::Null).await?;
            }
        }
    }
}

/// What to do about a dry run that could not try everything.
const UNTRIED: &str = "nothing was changed; what was not tried shows on a copy of the database";

fn text<'p>(progress: &'p Value, name: &str) -> &'p str {
    progress[name].as_str().unwrap_or_default()
}

/// What keeps the gate shut.
async fn waiting(function: &Function, pack: &str) -> Result<Error, Error> {
    let page = function.get(&format!("packs/{pack}")).await?;
    let all = page["checklist"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A phase that is passed has nothing open any more.
    let shut = all.iter().find(|item| item["state"] == "open" && item["phase"].is_i64());
    let Some(first) = shut else {
        return Ok(Error::new(Kind::GateNotMet, format!("pack {pack} waits at a gate"))
            .hint("\"strata checklist\" shows all that is open"));
    };
    let (phase, name) = (&first["phase"], text(first, "phase_name"));
    let open = all.iter().filter(|item| item["state"] == "open" && item["phase"] == *phase);
    let told: Vec<&str> = open.map(|item| text(item, "detail")).collect();
    let message = format!("the gate of phase {phase} ({name}) is not met: {}", told.join("; "));
    Ok(Error::new(Kind::GateNotMet, message)
        .hint(next_command((text(first, "item"), text(first, "kind")), pack)))
}

/// Why it did not succeed.
fn ended(progress: &Value, run: &str) -> Error {
    let said = |name: &str| Some(text(progress, name)).filter(|text| !text.is_empty());
    match (text(progress, "state"), said("sqlstate"), said("message")) {
        ("cancelled", _, message) => {
            Error::new(Kind::Interrupted, message.unwrap_or("the run was cancelled").to_owned())
        }
        // The hint is not kept: what could not be tried is told by its steps.
        ("incomplete", Some(code), Some(message)) => function::error(code, message, (None, Some(UNTRIED))),
        (_, Some(code), Some(message)) => {
            failed(code, &placed(progress, code, message), (said("detail"), said("hint")))
        }
        (state, ..) => Error::new(Kind::Failed, format!("run {run} is {state}")),
    }
}

/// The message of a statement, with the step that it belongs to.
fn placed(progress: &Value, code: &str, message: &str) -> String {
    match (progress["version"].as_i64(), progress["step"].as_i64()) {
        (Some(version), Some(step)) if is_statements(code) => {
            let name = text(progress, "name");
            format!("version {version} ({name}) step {step}: {message} (SQLSTATE {code})")
        }
        _ => message.to_owned(),
    }
}

/// Whether it is what a statement met, and not what the run decided.
fn is_statements(code: &str) -> bool {
    !code.starts_with("ST") && code != Kind::Locked.sqlstate()
}

/// A statement's own SQLSTATE says what the statement met, and not what we did.
fn failed(code: &str, message: &str, more: (Option<&str>, Option<&str>)) -> Error {
    match is_statements(code) {
        false => function::error(code, message, more),
        true => {
            let error = Error::new(Kind::Failed, message).with_sqlstate(code);
            let error = more.0.map_or(error.clone(), |detail| error.detail(detail));
            more.1.map_or(error.clone(), |hint| error.hint(hint))
        }
    }
}

/// What was told already.
#[derive(Default)]
struct Told {
    step: Option<(i64, i64)>,
    waiting: String,
    event: String,
}

impl Told {
    fn tell(&mut self, progress: &Value, output: &Output) {
        let number = |name: &str| progress[name].as_i64();
        let step = number("version").zip(number("step"));
        if let Some((version, number_of)) = step.filter(|step| self.step != Some(*step)) {
            if self.step.map(|(version, _)| version) != Some(version) {
                output.log(&format!("{version} {}", text(progress, "name")));
            }
            let of = number("steps").unwrap_or(1);
            output.log(&format!("  step {number_of} of {of}: {}", text(progress, "summary")));
            self.step = step;
        }
        self.changed(progress, "waiting_for", output);
        self.changed(progress, "last_event", output);
    }

    fn changed(&mut self, progress: &Value, name: &str, output: &Output) {
        let said = text(progress, name).to_owned();
        let (kept, line) = match name {
            "waiting_for" => (&mut self.waiting, format!("  waiting for {said}")),
            _ => (&mut self.event, format!("  {said}")),
        };
        if *kept != said && !said.is_empty() {
            output.log(&line);
        }
        *kept = said;
    }
}
