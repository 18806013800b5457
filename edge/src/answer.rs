//! What callers are answered: the bodies of answers, made of what the database said.

use crate::fault::{Body, Fault, Protocol};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Header lines of every answer. Whoever has a key may call from anywhere: the key decides, not where a page came from.
pub const HEADERS: [(&str, &str); 5] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "location"),
    ("cache-control", "no-store"),
    ("content-type", "application/json; charset=utf-8"),
    ("x-content-type-options", "nosniff"),
];

/// Further ones of the answer to a browser that asks what it may send.
pub const PREFLIGHT: [(&str, &str); 3] = [
    (
        "access-control-allow-headers",
        "authorization, x-client-info, apikey, content-type, x-region, idempotency-key",
    ),
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-max-age", "86400"),
];

/// The description of the routes, as `cargo xtask api` writes it.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// An answer of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// JSON; none for an answer without a body.
    pub body: Option<String>,
    /// Header lines besides [`HEADERS`].
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// A body of one of the types below.
    pub fn json<T: Serialize>(status: u16, body: &T) -> Answer {
        let body = serde_json::to_string(body).expect("plain data serializes");
        Answer { status, body: Some(body), headers: Vec::new() }
    }

    /// A body that is JSON already.
    pub fn text(status: u16, body: &str) -> Answer {
        Answer { status, body: Some(body.to_owned()), headers: Vec::new() }
    }

    /// To a browser that asks what it may send.
    pub fn preflight() -> Answer {
        let headers = PREFLIGHT.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Answer { status: 204, body: None, headers }
    }

    /// The same with where to look for what becomes of it.
    pub fn at(mut self, location: String) -> Answer {
        self.headers.push(("location", location));
        self
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Answer {
        Answer { status: fault.status, body: Some(fault.json()), headers: fault.headers }
    }
}

/// `GET health`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Of the function.
    pub version: String,
}

impl Health {
    /// Of this function.
    pub fn ok() -> Health {
        Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// `POST migrate`, `POST runs/:id/resume`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Started {
    /// Its id.
    pub run: String,
}

/// `POST runs/:id/cancel`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Cancelled {
    /// False: there was nothing to stop.
    pub cancelled: bool,
}

/// `POST sign-off`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Signed {
    /// The number of the entry in `strata.signature`.
    pub signature: i64,
}

/// `GET runs/:id`: a row of `strata.run_progress`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Progress {
    /// Pack that is moved.
    pub pack: String,
    /// `up` or `down`
    pub direction: String,
    /// `queued`, `running`, `waiting`, `succeeded`, `failed` or `cancelled`
    pub state: String,
    /// How often it was taken up.
    pub attempt: i32,
    /// Whether its executor is there.
    pub alive: bool,
    /// Role that it is executed as.
    pub requested_by: String,
    /// When it was asked for, last.
    pub requested_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Version at work.
    pub version: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// Step at work, from 1.
    pub step: Option<i32>,
    /// Steps of the version.
    pub steps: Option<i32>,
    /// What the step does.
    pub summary: Option<String>,
    /// Where the step stands.
    pub step_state: Option<String>,
    /// When it began.
    pub step_started_at: Option<String>,
    /// Of a failure.
    pub sqlstate: Option<String>,
    /// Of a failure.
    pub message: Option<String>,
    /// Of a failure.
    pub detail: Option<String>,
    /// Of a failure.
    pub hint: Option<String>,
    /// Of a failure: where in a function.
    pub context: Option<String>,
    /// Who is in its way.
    pub waiting_for: Option<String>,
    /// Of an index build.
    pub phase: Option<String>,
    /// Of an index build.
    pub blocks_done: Option<i64>,
    /// Of an index build.
    pub blocks_total: Option<i64>,
    /// Of an index build.
    pub tuples_done: Option<i64>,
    /// Of an index build.
    pub tuples_total: Option<i64>,
    /// Of an index build or a backfill.
    pub percent: Option<f64>,
    /// What the run told last.
    pub last_event: Option<String>,
    /// Of an index build or a backfill.
    pub seconds_left: Option<i64>,
}

impl Progress {
    /// Whether nothing more happens by itself: it ended, or waits for somebody.
    pub fn rests(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }
}

/// `GET runs/:id/report`: a row of `strata.dry_run_report`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct DryRun {
    /// Pack that is tried.
    pub pack: String,
    /// `up` or `down`
    pub direction: String,
    /// `queued`, `running`, `passed`, `failed` or `incomplete`
    pub state: String,
    /// Of what a run would end with.
    pub sqlstate: Option<String>,
    /// Of what a run would end with.
    pub message: Option<String>,
    /// Every step with what came of it; none before the end.
    pub report: Value,
}

/// A version of a pack: a row of `strata.migration_status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Version {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Number of its phase.
    pub phase: i32,
    /// Name of its phase.
    pub phase_name: Option<String>,
    /// `pending`, `applying`, `applied` or `reverting`
    pub state: String,
    /// When it was applied.
    pub applied_at: Option<String>,
    /// How long it took.
    pub execution_time_ms: Option<i32>,
    /// Of its last failure.
    pub sqlstate: Option<String>,
    /// Of its last failure.
    pub error_message: Option<String>,
}

/// A phase of a pack: a row of `strata.phase_status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Phase {
    /// Its number.
    pub phase: i32,
    /// Its name.
    pub name: Option<String>,
    /// When the plan has it.
    pub days: Option<String>,
    /// How many versions it has.
    pub versions: i32,
    /// How many of them are applied.
    pub applied: i32,
    /// `none`, `passed`, `met` or `open`
    pub gate: String,
    /// What keeps the gate shut.
    pub missing: Option<String>,
}

/// A run that has not ended, or has left a version half-way: a row of `strata.unfinished_run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct OpenRun {
    /// Its id.
    pub run: String,
    /// `up` or `down`
    pub direction: String,
    /// `queued`, `running`, `waiting`, `failed` or `cancelled`
    pub state: String,
    /// Whether the session of its executor is there.
    pub alive: bool,
    /// Process id of that session.
    pub pid: Option<i32>,
    /// Role that asked for it.
    pub requested_by: String,
    /// Version of the step that it came to.
    pub version: Option<i64>,
    /// Number of that step, from 1.
    pub step: Option<i32>,
    /// How many steps the version has.
    pub steps: Option<i32>,
    /// What the step does.
    pub summary: Option<String>,
    /// Of the error that ended it.
    pub sqlstate: Option<String>,
    /// Of the error that ended it.
    pub message: Option<String>,
}

/// A step that would run now: a row of `strata.plan`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct PlannedStep {
    /// Version that it belongs to.
    pub version: i64,
    /// Name of the version.
    pub name: String,
    /// Phase of the version.
    pub phase: i32,
    /// `up` or `down`
    pub direction: String,
    /// Number of the step, from 1.
    pub step: i32,
    /// `transaction`, `alone` or `verify`
    pub kind: String,
    /// What it does.
    pub summary: String,
}

/// Something that must hold before a phase: a row of `strata.checklist`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Item {
    /// As `POST sign-off` names it.
    pub item: String,
    /// Number of the phase; none for `finalize`.
    pub phase: Option<i32>,
    /// Name of the phase.
    pub phase_name: Option<String>,
    /// `gate`, `verification`, `backup` or `sign-off`
    pub kind: String,
    /// `met`, `signed` or `open`
    pub state: String,
    /// What is missing.
    pub detail: Option<String>,
    /// Who signed.
    pub signed_by: Option<String>,
    /// When.
    pub signed_at: Option<String>,
}

/// `GET packs/:name`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Pack {
    /// Its name.
    pub pack: String,
    /// Every version, in order.
    pub versions: Vec<Version>,
    /// Every phase, in order.
    pub phases: Vec<Phase>,
    /// The run that has not ended, or has left a version half-way; none where every run has ended well.
    pub run: Option<OpenRun>,
    /// What would run now; none where that is refused.
    pub plan: Option<Vec<PlannedStep>>,
    /// Why nothing would run now.
    pub refused: Option<Body>,
    /// What must hold before each phase.
    pub checklist: Vec<Item>,
}

/// A check of a verification: a row of `strata.verify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Check {
    /// Version that is verified.
    pub version: i64,
    /// What is looked at.
    pub check_name: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// Whether they agree.
    pub ok: bool,
}

/// `POST verify`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Verified {
    /// Whether every check is.
    pub ok: bool,
    /// Every check of every applied version.
    pub checks: Vec<Check>,
}

/// `POST embed`: what was done so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Drained {
    /// Vectors stored.
    pub stored: u32,
    /// Vectors of a text that had changed meanwhile, or whose job somebody else had: not stored.
    pub stale: u32,
    /// Jobs that went back with an error.
    pub failed: u32,
    /// Of these, jobs that were set aside.
    pub dead: u32,
    /// Calls of providers.
    pub calls: u32,
    /// Whether the work goes on behind this answer.
    pub continues: bool,
    /// What the queue holds of the models that can be asked from here.
    pub left: Left,
    /// Models that cannot be asked.
    pub benched: Vec<Benched>,
    /// The last error of a job.
    pub error: Option<String>,
}

/// What a queue holds: a row of `strata.jobs_left`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Left {
    /// Jobs that could be claimed now.
    pub ripe: i64,
    /// Jobs that wait for their time.
    pub later: i64,
    /// Jobs that somebody works on.
    pub leased: i64,
    /// Jobs that were set aside.
    pub dead: i64,
    /// Seconds until the first of those that wait; none waits without it.
    pub next: Option<f64>,
}

/// A model that cannot be asked from here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Benched {
    /// Its name.
    pub model: String,
    /// Why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A row that was found: a row of `strata.search`, which has those of `strata.rag_search` for keys of any type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Hit {
    /// Which source it is of.
    pub entity_type: String,
    /// Its key, as Postgres writes it.
    pub entity_id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub content: Option<String>,
    /// One minus the cosine distance, from -1 to 1; none where it was found by its words and has no embedding yet.
    pub similarity: Option<f64>,
    /// When it was made.
    pub created_at: Option<String>,
    /// What its source has as metadata.
    pub metadata: Value,
}

/// `POST search`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
}

/// What the database said, as one of these. It says something else only where its functions are of another version.
pub fn read<T: DeserializeOwned>(said: Value) -> Result<T, Fault> {
    serde_json::from_value(said).map_err(|cause| {
        Fault::protocol(Protocol::Broken, "the database answered in another form than this function knows")
            .details(cause.to_string())
            .hint("bring the extension and this function to the same version")
    })
}

/// The only row of what the database said.
pub fn row<T: DeserializeOwned>(said: Value) -> Result<T, Fault> {
    let [row] = read::<[T; 1]>(said)?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_in_another_form_is_told_and_not_passed_on() {
        let fault = row::<Cancelled>(json!([{"cancelled": "x"}])).unwrap_err();
        assert_eq!((fault.status, fault.body.code.as_str()), (500, "HT500"));
        assert!(row::<Cancelled>(json!([])).is_err());
        assert_eq!(row::<Cancelled>(json!([{"cancelled": true}])), Ok(Cancelled { cancelled: true }));
    }

    #[test]
    fn a_refusal_takes_its_headers_along() {
        let answer = Answer::from(Fault::unauthorized("no"));
        assert_eq!((answer.status, answer.headers[0].0), (401, "www-authenticate"));
    }
}
