//! A dry run: everything that a run would do, tried in one transaction that is rolled back.
//!
//! It turns a [`Run`] like a door does, and stands between it and the real door. What the run says on its way to the server
//! is changed so that nothing lasts: a transaction of the run becomes a savepoint, a commit becomes the checks that a commit
//! makes, a statement that refuses a transaction is tried as one that does not, or left out. Everything else, what is
//! refused, what a gate waits for, what a verification says, is the run's own word.
//!
//! While it holds locks, others may wait for it. Each statement has a limit that no file can raise, and the door tells when
//! somebody waits: then it gives way, and what it has not come to is not tried.

mod finding;
mod jobs;
mod report;
mod stand_in;

pub use finding::{Ended, Finding, Lock, Trial, Verdict};

use super::tasks::{Place, Task};
use super::{Event, Next, Report, Request, Run};
use crate::error::{DbError, Error, Kind};
use crate::pack::Pack;
use crate::script::Part;
use crate::statement::{Nature, Reply, Row, Statement, column};
use finding::Held;
use jobs::Job;
use std::collections::VecDeque;
use std::time::Duration;

/// Longest that a dry run lets others wait for it, unless the caller says otherwise. Unit: milliseconds. Chosen: below what
/// a person notices, and below the lock timeout of a run.
pub const GIVE_WAY_MS: u32 = 200;

/// Longest that a dry run holds locks that nobody waits for, unless the caller says otherwise. Chosen: an index of a few
/// million rows is built in it.
pub const HOLD: Duration = Duration::from_secs(60);

/// How considerate a dry run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest that it waits for a lock, and others behind it. Milliseconds.
    pub give_way_ms: u32,
    /// Longest that it holds locks. Milliseconds; zero: no end.
    pub hold_ms: u32,
    /// Longest that one statement takes, where nobody sees during it who waits. Milliseconds; zero: no end.
    pub statement_ms: u32,
}

impl Limits {
    /// Unit: seconds.
    fn hold(self) -> f64 {
        f64::from(self.hold_ms) / 1000.0
    }

    /// Of one statement. Unit: seconds.
    fn longest(self) -> f64 {
        match self.statement_ms {
            0 => self.hold(),
            longest => f64::from(longest) / 1000.0,
        }
    }
}

/// A dry run being turned.
#[derive(Debug)]
pub struct DryRun {
    run: Run,
    /// It goes on in a database that is thrown away, where nothing has to be undone.
    shadow: bool,
    limits: Limits,
    jobs: VecDeque<Job>,
    current: Option<Job>,
    /// The reply of a statement of a file, until it is known what the statement has locked.
    kept: Vec<Row>,
    transaction: String,
    /// The server's clock when it was last asked. Unit: milliseconds.
    clock: i64,
    held: Held,
    /// The clock before the first lock that others could wait for.
    held_since: Option<i64>,
    steps: Vec<Finding>,
    /// A procedure of ours has walked the first rows of its table only: what fails behind it may be for want of the others.
    partial: bool,
    ended: Option<Ended>,
    /// What is wrong with the dry run itself.
    broken: Option<Error>,
    closing: bool,
}

impl DryRun {
    /// A dry run that has not begun. Where strata is `missing` it is installed first, inside the transaction.
    pub fn new(pack: Pack, mut request: Request, limits: Limits, missing: bool) -> Self {
        // A lock that is not to be had ends it: what it holds meanwhile others wait for.
        request.table_lock_patience = Duration::ZERO;
        request.index_wait = Duration::from_millis(limits.give_way_ms.into());
        let mut jobs = VecDeque::from([Job::Begin, Job::Relations, Job::Limits]);
        jobs.extend(missing.then_some(Job::Install));
        DryRun {
            run: Run::new(pack, request).apart(),
            shadow: false,
            limits,
            jobs,
            current: None,
            kept: Vec::new(),
            transaction: String::new(),
            clock: 0,
            held: Held::default(),
            held_since: None,
            steps: Vec::new(),
            partial: false,
            ended: None,
            broken: None,
            closing: false,
        }
    }

    /// The same in a database that has the schema and strata's state, no rows, and nobody who waits.
    pub fn in_shadow(pack: Pack, request: Request) -> Self {
        let limits = Limits { give_way_ms: 0, hold_ms: 0, statement_ms: 0 };
        DryRun { shadow: true, jobs: VecDeque::new(), ..DryRun::new(pack, request, limits, false) }
    }

    /// What the door must do now. At the end an error is what a run would end with; [`DryRun::trial`] has the rest.
    pub fn turn(&mut self) -> Next {
        loop {
            if let Some(next) = self.next_job() {
                return next;
            }
            if self.closing {
                return Next::Done(self.outcome());
            }
            if !self.shadow && (self.ended.is_some() || self.run.failure.is_some()) || self.broken.is_some() {
                self.close();
                continue;
            }
            match self.run.turn() {
                Next::Run(statement) => self.translate(statement),
                Next::Done(outcome) => {
                    self.run.failure = outcome.err();
                    self.close();
                }
                Next::Tell(event) => {
                    self.hear(&event);
                    return Next::Tell(event);
                }
                wait @ Next::Wait(_) => return wait,
                Next::Together(_) => unreachable!("the run is turned apart"),
            }
        }
    }

    /// Somebody has waited for too long: everything is undone as soon as the statement at work has ended, which the door
    /// cancels.
    pub fn give_way(&mut self, who: &str) {
        self.end(Ended::Busy(format!("it gave way to {who}")));
    }

    /// The operator wants it to end now.
    pub fn stop(&mut self) {
        let error = Error::new(Kind::Interrupted, "the dry run was stopped").hint("nothing was changed");
        self.broken.get_or_insert(error);
    }

    /// What was found out so far.
    pub fn trial(&self) -> Trial {
        let found =
            |version: i64, step: i64| self.steps.iter().find(|s| s.version == version && s.step == step);
        let mut steps = Vec::new();
        for moved in &self.run.moves {
            for step in &moved.steps {
                match found(moved.version, step.number) {
                    Some(finding) => steps.push(finding.clone()),
                    None if self.run.is_done(moved.version, step) => {}
                    None => steps.push(Finding {
                        verdict: Verdict::NotTried("not reached".to_owned()),
                        ..Finding::of(moved, step)
                    }),
                }
            }
        }
        Trial {
            direction: self.run.direction(),
            steps,
            passed: self.run.report.passed.clone(),
            sequences: self.held.sequences(),
            ended: self.ended.clone(),
            failure: self.run.failure.clone(),
        }
    }

    /// The first reason counts.
    fn end(&mut self, why: Ended) {
        if self.closing || self.ended.is_some() {
            return;
        }
        if let Some(step) = self.at_work() {
            step.verdict = Verdict::NotTried(why.why().to_owned());
        }
        self.ended = Some(why);
    }

    /// The step whose statements are running.
    fn at_work(&mut self) -> Option<&mut Finding> {
        let open = self.run.current.as_ref().and_then(Task::place).is_some();
        self.steps.last_mut().filter(|_| open)
    }

    fn hear(&mut self, event: &Event) {
        if let Event::Repair { index } = event {
            let remark = format!("index {index} is left over from a broken build");
            self.steps.last_mut().into_iter().for_each(|step| step.remarks.push(remark.clone()));
        }
    }

    fn close(&mut self) {
        if !self.closing {
            self.closing = true;
            self.jobs.clear();
            if !self.shadow {
                self.jobs.extend([Job::Rollback, Job::Outcome]);
                self.jobs.extend(self.run.locked.then_some(Job::Unlock));
            }
        }
    }

    fn outcome(&mut self) -> Result<Report, Error> {
        match self.broken.take().or_else(|| self.run.failure.clone()) {
            Some(error) => Err(error),
            None => Ok(self.run.report.clone()),
        }
    }

    /// What came of the statement that [`DryRun::turn`] gave.
    pub fn replied(&mut self, reply: Reply) {
        let Some(job) = self.current.take() else { return };
        if let Err(cause) = &reply
            && cause.fatal
        {
            return self.lost(cause);
        }
        if !self.closing && (self.ended.is_some() || self.broken.is_some()) {
            return self.close();
        }
        match (job, reply) {
            (Job::Hand(_), Err(cause)) if self.shadow && cause.sqlstate == Kind::Untried.sqlstate() => {
                self.end(Ended::Refused(cause.message));
                self.close();
            }
            (Job::Hand(_), reply) => self.hand(reply),
            (Job::File(_) | Job::Immediate, Err(cause)) => self.failed(cause),
            (Job::Rollback, Err(cause)) if cause.sqlstate == "57014" => self.jobs.push_front(Job::Rollback),
            (Job::Unlock | Job::Outcome, Err(_)) => {}
            (_, Err(cause)) => self.broke(cause),
            (job, Ok(rows)) => self.went(job, rows),
        }
    }

    fn went(&mut self, job: Job, rows: Vec<Row>) {
        match job {
            Job::Relations => {
                self.look(&rows);
                self.held.know(&rows);
            }
            Job::Limits => self.clock = rows.first().map_or(self.clock, clock),
            Job::File(statement) => self.ran(&statement, rows),
            Job::Look => self.looked(&rows),
            Job::Deferred => {
                let names = rows.first().map(|row| column(row, 0)).unwrap_or_default();
                if !names.is_empty() {
                    self.jobs.push_front(Job::Aside(format!("set constraints {names} deferred")));
                }
            }
            Job::Outcome => self.refuse_committed(&rows),
            _ => {}
        }
    }

    /// A statement of a file went through: what it has locked is asked before the run hears of it.
    fn ran(&mut self, statement: &Statement, rows: Vec<Row>) {
        let counted = statement.nature == Nature::Single;
        if let (true, Some(step)) = (counted, self.at_work()) {
            step.rows += rows.first().and_then(|row| column(row, 0).parse::<u64>().ok()).unwrap_or(0);
        }
        self.kept = if counted { Vec::new() } else { rows };
        self.jobs.push_back(Job::Look);
    }

    fn looked(&mut self, rows: &[Row]) {
        let before = self.clock;
        self.look(rows);
        let locks = self.held.take(rows);
        if self.held.any() {
            self.held_since.get_or_insert(before);
        }
        let took = self.clock - before;
        if let Some(step) = self.at_work() {
            finding::merge(&mut step.locks, locks);
            step.ms += took;
        }
        if self.broken.is_none() {
            let kept = std::mem::take(&mut self.kept);
            self.hand(Ok(kept));
        }
    }

    /// The run hears what came of its statement. Where that ends it, its step has failed.
    fn hand(&mut self, reply: Reply) {
        let of_step = self.place().is_some();
        self.run.replied(reply);
        if self.partial && of_step {
            self.doubt();
        }
        let told = self.run.failure.as_ref().map(|error| error.message().to_owned());
        if let (true, Some(told), Some(step)) = (of_step, told, self.steps.last_mut()) {
            step.verdict = Verdict::Failed(told);
        }
    }

    /// A failure that says nothing, because not all rows were there that a run would have made.
    fn doubt(&mut self) {
        let doubtful = |error: &mut Error| matches!(error.kind(), Kind::Failed | Kind::VerificationFailed);
        if let Some(error) = self.run.failure.take_if(doubtful) {
            let why = format!("a backfill was tried on its first rows only, and then: {error}");
            if let Some(step) = self.steps.last_mut() {
                step.verdict = Verdict::NotTried(why.clone());
            }
            self.ended.get_or_insert(Ended::Refused(why));
        }
    }

    /// The clock and the transaction, which must be the one that the dry run began.
    fn look(&mut self, rows: &[Row]) {
        let Some(now) = rows.iter().find(|row| column(row, 0) == "now") else { return };
        self.clock = clock(now);
        if column(now, 3) == "partial" && !self.partial {
            self.partial = true;
            self.remark("tried on the first 10,000 rows".to_owned());
        }
        let transaction = column(now, 2);
        if self.transaction.is_empty() {
            self.transaction = transaction.to_owned();
        }
        if self.transaction != transaction {
            self.broken = Some(left(&self.transaction, "was ended by a statement of a file"));
            self.close();
        }
    }

    fn refuse_committed(&mut self, rows: &[Row]) {
        if rows.first().is_some_and(|row| column(row, 0) == "committed") {
            self.broken = Some(left(&self.transaction, "was committed"));
        }
    }

    /// A statement of a file failed: as it would in a run, or because this is none.
    fn failed(&mut self, cause: DbError) {
        if let Some(why) = self.excuse(&cause) {
            return self.end(why);
        }
        if self.is_alone() {
            self.jobs.clear();
            return self.jobs.push_back(Job::Undo(cause));
        }
        self.jobs.clear();
        self.hand(Err(cause));
    }

    /// Why an error says nothing about what a run would meet.
    fn excuse(&self, cause: &DbError) -> Option<Ended> {
        let give_way = self.limits.give_way_ms;
        let message = &cause.message;
        match cause.sqlstate.as_str() {
            "57014" if message.contains("statement timeout") => {
                let longest = self.limits.longest();
                Some(Ended::Busy(format!("it would have held locks for longer than {longest} s")))
            }
            "55P03" => Some(Ended::Busy(format!("a lock was not to be had within {give_way} ms: {message}"))),
            "40P01" => Some(Ended::Busy(format!("it met another transaction: {message}"))),
            "25001" | "2D000" if self.is_alone() => {
                Some(Ended::Refused("it cannot run inside a transaction".to_owned()))
            }
            "55P04" if !self.adds_a_value() => Some(Ended::Refused(format!(
                "everything is tried in one transaction, and a run has several: {message}"
            ))),
            _ => None,
        }
    }

    fn place(&self) -> Option<Place> {
        self.run.current.as_ref().and_then(Task::place)
    }

    fn is_alone(&self) -> bool {
        let statement = matches!(self.run.current, Some(Task::Statement(..)));
        self.place().is_some_and(|place| statement && matches!(self.run.step(place).part, Part::Alone(..)))
    }

    /// True if this very step gives an enum a value: then a run may not use it in the step either.
    fn adds_a_value(&self) -> bool {
        let adds = |words: &[String]| {
            words.starts_with(&["alter".to_owned(), "type".to_owned()])
                && words.iter().any(|word| word == "value")
        };
        self.place().is_some_and(|place| self.run.step(place).statements().iter().any(|sql| adds(&sql.words)))
    }

    /// Something of our own failed.
    fn broke(&mut self, cause: DbError) {
        let what = if self.closing { "undoing the dry run" } else { "the dry run" };
        self.broken.get_or_insert(Error::failed(what, cause));
        self.close();
    }

    /// The connection is gone, and with it the transaction.
    fn lost(&mut self, cause: &DbError) {
        let message = format!("the connection was lost: {}", cause.message);
        self.broken =
            Some(Error::new(Kind::CannotConnect, message).hint("nothing was changed; try it again"));
        self.jobs.clear();
        self.closing = true;
    }
}

/// Unit: milliseconds.
fn clock(row: &Row) -> i64 {
    column(row, 1).parse().unwrap_or(0)
}

fn left(transaction: &str, what: &str) -> Error {
    let message = format!("transaction {transaction} of the dry run {what}: what it did may have been kept");
    Error::new(Kind::Failed, message)
        .with_sqlstate("25000")
        .hint("compare the schema with what it should be, and say what the files did")
}

#[cfg(test)]
mod tests;
