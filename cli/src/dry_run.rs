//! `up`, `down` and `goto` with `--dry-run`: turns a dry run, watches from a second session who waits for it, and shows what
//! it found.

pub mod report;
mod shadow;

use crate::args::Args;
use crate::drive::Stop;
use crate::install;
use crate::output::Output;
use crate::session::Session;
use crate::teller::Teller;
use shadow::Shadow;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use strata_core::adopt::Wish;
use strata_core::pack::Pack;
use strata_core::run::{DryRun, Event, Limits, Next, Request, Trial};
use strata_core::statement::{Statement, Value, column};
use strata_core::{Error, Kind};

/// Looks within the time that others may be made to wait.
const LOOKS: u32 = 5;

/// Longest pause between two looks, and shortest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(5));

/// What a dry run is asked.
pub struct Asked {
    /// The pack.
    pub pack: Pack,
    /// What a run would be asked.
    pub request: Request,
    /// How considerate it is.
    pub limits: Limits,
    /// Strata is not installed.
    pub missing: bool,
}

/// Returns the exit code. Without a second session nobody sees who waits, so that locks are held no longer than somebody
/// may wait.
pub async fn run(
    session: &Session,
    second: Option<Session>,
    mut asked: Asked,
    (args, output): (&Args, &Output),
) -> Result<u8, Error> {
    let name = asked.pack.manifest.name.clone();
    if second.is_none() {
        asked.limits.hold_ms = asked.limits.give_way_ms;
        output.log("there is no room for a second session: locks are held no longer than --give-way");
    }
    let (pack, request) = (asked.pack.clone(), asked.request.clone());
    let watch =
        Watch { session, lookout: Lookout::new(session, second, asked.limits).await?, stop: Stop::listen() };
    let mut dry = DryRun::new(asked.pack, asked.request, asked.limits, asked.missing);
    let outcome = turn(watch, &mut dry, &mut Teller::of_trial(output)).await;
    let mut trial = dry.trial();
    if outcome.is_ok() && trial.wants_shadow() {
        output.log("trying what refuses a transaction on a copy of the schema");
        match in_shadow(session, (pack, request), args, output).await {
            Ok(found) => trial.complete(&found),
            Err(error) => {
                let hint = error.get_hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                output.log(&format!("there is no copy of the schema to try it on: {error}{hint}"));
            }
        }
    }
    let error = outcome.err().or_else(|| trial.failure.clone()).or_else(|| trial.incomplete());
    Ok(report::print(output, &name, trial.json(), error.as_ref()))
}

async fn in_shadow(
    work: &Session,
    (pack, request): (Pack, Request),
    args: &Args,
    output: &Output,
) -> Result<Trial, Error> {
    let table = match &request.wish {
        Wish::Table(table) => Some(table.clone()),
        _ => None,
    };
    let (shadow, session) = Shadow::make(work, args, table.as_deref()).await?;
    if pack.prepares() {
        session.leave_names();
    }
    let way = (request.direction, request.target);
    let quiet = output.only_errors();
    let ready = match install::ensure(&session, &pack, way, &quiet).await {
        Ok(()) => spare_server(&session).await,
        refused => refused,
    };
    let found = match ready {
        Ok(()) => {
            let mut dry = DryRun::in_shadow(pack, request);
            let watch = Watch { session: &session, lookout: None, stop: Stop::listen() };
            // What it ends with is in what it has found.
            let ended = turn(watch, &mut dry, &mut Teller::of_trial(&quiet)).await;
            let lost = |error: &Error| matches!(error.kind(), Kind::CannotConnect | Kind::Interrupted);
            ended.err().filter(lost).map_or_else(|| Ok(dry.trial()), Err)
        }
        Err(error) => Err(error),
    };
    drop(session);
    shadow.drop(work).await;
    found
}

/// What a function says is only known when it is said.
async fn spare_server(shadow: &Session) -> Result<(), Error> {
    let statement = Statement::of_session(include_str!("../../sql/query/spare_server.sql"), Vec::new());
    shadow.ask("sparing the server", &statement).await.map(drop)
}

async fn turn(mut watch: Watch<'_>, dry: &mut DryRun, teller: &mut Teller<'_>) -> Result<(), Error> {
    let session = watch.session;
    loop {
        match dry.turn() {
            Next::Run(statement) => {
                let reply = watch.over(session.run(&statement), dry).await;
                session.notices().into_iter().for_each(|text| teller.tell(Event::Notice { text }));
                dry.replied(reply);
            }
            Next::Wait(time) => watch.over(tokio::time::sleep(time), dry).await,
            Next::Tell(event) => teller.tell(event),
            Next::Together(_) => unreachable!("a dry run sends one statement at a time"),
            Next::Done(outcome) => return outcome.map(drop),
        }
    }
}

/// What goes on beside a statement.
struct Watch<'s> {
    session: &'s Session,
    lookout: Option<Lookout>,
    stop: Stop,
}

impl Watch<'_> {
    /// Lets `work` end. The statement in it is cancelled when somebody has waited too long, or the operator wants it.
    async fn over<T>(&mut self, work: impl Future<Output = T>, dry: &mut DryRun) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.stop.asked() => dry.stop(),
                who = waiting(&mut self.lookout) => {
                    self.lookout = None;
                    dry.give_way(&who);
                }
            }
            self.session.cancel().await;
        }
    }
}

/// Ends when somebody has waited too long.
async fn waiting(lookout: &mut Option<Lookout>) -> String {
    match lookout {
        Some(lookout) => lookout.waiting().await,
        None => std::future::pending().await,
    }
}

/// The second session.
struct Lookout {
    session: Session,
    process: i64,
    limits: Limits,
}

impl Lookout {
    async fn new(work: &Session, second: Option<Session>, limits: Limits) -> Result<Option<Self>, Error> {
        let question = Statement::check("select pg_backend_pid()");
        let rows = work.ask("asking for the process", &question).await?;
        let process = rows.first().and_then(|row| column(row, 0).parse().ok()).unwrap_or(-1);
        Ok(second.map(|session| Lookout { session, process, limits }))
    }

    /// Safe to drop anywhere. Whoever cannot be seen may be waiting.
    async fn waiting(&self) -> String {
        let limit = self.limits.give_way_ms;
        let params = vec![Value::Int(self.process), Value::Int(limit.into())];
        let question = Statement::ours(include_str!("../../sql/query/dry_run_waiting.sql"), params);
        let pause = (Duration::from_millis(limit.into()) / LOOKS).clamp(PAUSE.1, PAUSE.0);
        loop {
            tokio::time::sleep(pause).await;
            match self.session.run(&question).await {
                Ok(rows) => {
                    if let Some(row) = rows.first() {
                        return column(row, 0).to_owned();
                    }
                }
                Err(cause) => {
                    return format!("whoever waits: nobody can be seen any more ({})", cause.message);
                }
            }
        }
    }
}
