//! One half of a worker: turns runs of the database that nobody executes, with the files that were pushed. Any number of
//! them may stand side by side; the lock of the pack decides who gets which run.

use super::found::Found;
use super::turn;
use crate::args::{Args, Worker};
use crate::drive::Stop;
use crate::output::{Output, short};
use crate::session::Session;
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// How long a queued run is left to the background worker that was started for it. Unit: seconds. A worker is there within
/// milliseconds, if the server has one to give.
const GRACE: u32 = 1;

/// Looks for runs until it is told to stop.
pub async fn run(args: &Args, wish: &Worker, output: &Output) -> Result<u8, Error> {
    let mut worker = Bench { args, wish, output, refused: HashSet::new(), failed: 0 };
    let mut stop = Stop::listen();
    let mut session = Session::open_installed(args).await?;
    output.log(&format!("worker on {}", session.address()));
    loop {
        match worker.look(&session).await {
            Ok(()) if wish.once => return Ok(worker.failed),
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Interrupted => return Ok(0),
            Err(error) if wish.once || error.kind() != Kind::CannotConnect => return Err(error),
            Err(error) => {
                output.log(&format!("{}; trying again", error.message()));
                if let Ok(again) = Session::open_installed(args).await {
                    session = again;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(wish.poll.unwrap_or(1).into())) => {}
            () = stop.asked() => return Ok(0),
        }
    }
}

/// What a worker works with.
struct Bench<'a> {
    args: &'a Args,
    wish: &'a Worker,
    output: &'a Output,
    /// Runs that were told of as refused: once is enough.
    refused: HashSet<String>,
    /// Exit code of the first run that failed.
    failed: u8,
}

impl Bench<'_> {
    /// One look: everything that is to be had is turned.
    async fn look(&mut self, session: &Session) -> Result<(), Error> {
        self.end_hung(session).await?;
        let grace = if self.wish.once { 0 } else { GRACE };
        let query = include_str!("../../../sql/query/runs_to_take.sql");
        let asked = Statement::ours(query, vec![format!("{grace} seconds").as_str().into()]);
        let rows = session.ask("looking for runs", &asked).await?;
        for found in rows.into_iter().filter_map(Found::read) {
            match found.taking.as_str() {
                "here" => self.turn(session, &found).await?,
                "hand over" => self.hand_over(session, &found).await?,
                _ => self.refuse(session, &found),
            }
        }
        Ok(())
    }

    async fn end_hung(&self, session: &Session) -> Result<(), Error> {
        let lease = format!("{} seconds", self.wish.lease);
        let statement =
            Statement::ours(include_str!("../../../sql/query/end_hung.sql"), vec![lease.as_str().into()]);
        for row in session.ask("looking for hung executors", &statement).await? {
            let run = row.into_iter().flatten().next().unwrap_or_default();
            self.output
                .log(&format!("run {run}: its executor has done nothing for {lease}; its session is ended"));
        }
        Ok(())
    }

    /// Turns it over a session of its own. That somebody else was quicker is no failure.
    async fn turn(&mut self, session: &Session, found: &Found) -> Result<(), Error> {
        let mut claimed = false;
        match turn::run(self.args, self.output, found, &mut claimed).await {
            Ok(report) => {
                if !claimed {
                    turn::close(session, found, None, claimed).await?;
                }
                let moved: Vec<i64> = report.moved.iter().map(|(version, _)| *version).collect();
                let told = format!("run {} of pack {}: {} versions", found.run, found.pack, moved.len());
                let json =
                    json!({"event": "succeeded", "run": found.run, "pack": found.pack, "moved": moved});
                self.output.result(json, &told);
                Ok(())
            }
            Err(error) if error.kind() == Kind::Locked => {
                self.output.log(&format!("run {} of pack {}: {}", found.run, found.pack, error.message()));
                Ok(())
            }
            Err(error) => self.failed(session, found, error, claimed).await,
        }
    }

    /// The run's failure is its own; the worker goes on, unless it was told to stop or lost the server.
    async fn failed(
        &mut self,
        session: &Session,
        found: &Found,
        error: Error,
        claimed: bool,
    ) -> Result<(), Error> {
        let told = format!("run {} of pack {}: {}", found.run, found.pack, short(error.message()));
        if error.kind() == Kind::CannotConnect {
            return Err(Error::new(Kind::CannotConnect, told));
        }
        let event = if error.kind() == Kind::Interrupted { "stopped" } else { "failed" };
        let json = json!({"event": event, "run": found.run, "pack": found.pack,
                          "code": error.sqlstate(), "message": error.message()});
        self.output.result(json, &told);
        match error.kind() {
            Kind::Interrupted if turn::is_open(session, found).await? => Err(error),
            Kind::Interrupted => Ok(()),
            kind => {
                self.failed = if self.failed == 0 { kind.exit_code() } else { self.failed };
                turn::close(session, found, Some(&error), claimed).await
            }
        }
    }

    /// To a background worker with a session of the role that asked.
    async fn hand_over(&mut self, session: &Session, found: &Found) -> Result<(), Error> {
        match turn::hand_over(session, found).await {
            Ok(()) => {
                let told = format!(
                    "run {} of pack {}: handed to a background worker of {}",
                    found.run, found.pack, found.requested_by
                );
                let json = json!({"event": "handed over", "run": found.run, "pack": found.pack,
                                  "requested_by": found.requested_by});
                self.output.result(json, &told);
                Ok(())
            }
            Err(error) if error.kind() == Kind::CannotConnect => Err(error),
            Err(error) => {
                if self.refused.insert(found.run.clone()) {
                    self.output.log(&format!(
                        "run {} of pack {}: {}",
                        found.run,
                        found.pack,
                        error.message()
                    ));
                }
                Ok(())
            }
        }
    }

    fn refuse(&mut self, session: &Session, found: &Found) {
        if !self.refused.insert(found.run.clone()) {
            return;
        }
        let (run, pack, role) = (&found.run, &found.pack, &found.requested_by);
        let told = match found.taking.as_str() {
            "changed" => format!(
                "run {run} of pack {pack}: somebody else has pushed files of it since {role} asked for it; \
                 ask again with strata.start_run"
            ),
            _ => format!(
                "run {run} of pack {pack} was asked for by {role}, and {} is not a member of that role; \
                 start a worker as {role}, or grant {role} to this one",
                session.address()
            ),
        };
        self.output
            .result(json!({"event": "refused", "run": run, "pack": pack, "requested_by": role}), &told);
    }
}
