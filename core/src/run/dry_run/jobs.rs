//! What a dry run sends: the statements of its run, changed so that nothing lasts, and its own between them.

use super::DryRun;
use super::finding::{Ended, Finding, Verdict};
use super::stand_in::{self, StandIn};
use crate::error::DbError;
use crate::plan::{Move, Step};
use crate::run::Next;
use crate::run::tasks::{Place, Task};
use crate::script::Part;
use crate::statement::{Statement, Value};

const SAVE: &str = "savepoint strata_dry_run";
const UNDO: &str = "rollback to savepoint strata_dry_run";
const RELEASE: &str = "release savepoint strata_dry_run";

/// Longest that the server lets the transaction be idle beyond what others are made to wait. Unit: milliseconds. Longer
/// than the pauses of a run.
const IDLE_MS: u32 = 1_000;

/// One thing to send.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Job {
    Begin,
    Install,
    Relations,
    /// How long the next statement may take and wait.
    Limits,
    /// A statement of a file. Its reply is the run's, after a look at what it has locked.
    File(Statement),
    Look,
    /// A statement whose reply is the run's.
    Hand(Statement),
    /// One that the run knows nothing of.
    Aside(String),
    Reset,
    /// What a commit would check.
    Immediate,
    /// Which constraints a new transaction would begin deferred.
    Deferred,
    /// A statement that stands alone failed: what it did is undone, and the run hears of it.
    Undo(DbError),
    /// That again, once it is undone.
    Fail(DbError),
    Rollback,
    Outcome,
    Unlock,
}

impl DryRun {
    /// The next of its own; none where it is the run's turn.
    pub(super) fn next_job(&mut self) -> Option<Next> {
        loop {
            let job = self.jobs.pop_front()?;
            if let Job::Fail(cause) = job {
                self.hand(Err(cause));
                continue;
            }
            if job == Job::Limits && self.left_ms().is_none() {
                self.end(Ended::Busy(format!("it had held locks for {} s", self.limits.hold())));
                self.jobs.clear();
                return None;
            }
            if job == Job::Outcome && self.transaction.is_empty() {
                continue;
            }
            let statement = self.sent(&job);
            if let Job::Undo(cause) = &job {
                self.jobs.push_front(Job::Fail(cause.clone()));
            }
            self.current = Some(job);
            return Some(Next::Run(statement));
        }
    }

    fn sent(&self, job: &Job) -> Statement {
        match job {
            Job::Begin => Statement::verbatim("begin"),
            Job::Install => Statement::verbatim(include_str!("../../../../sql/query/install.sql")),
            Job::Relations => {
                Statement::of_session(include_str!("../../../../sql/query/dry_run_relations.sql"), Vec::new())
            }
            Job::Limits => self.limits(),
            Job::File(statement) | Job::Hand(statement) => statement.clone(),
            Job::Look => {
                Statement::of_session(include_str!("../../../../sql/query/dry_run_look.sql"), Vec::new())
            }
            Job::Aside(sql) => Statement::verbatim(sql),
            Job::Reset => Statement::reset(),
            Job::Immediate => Statement::verbatim("set constraints all immediate"),
            Job::Deferred => {
                Statement::of_session(include_str!("../../../../sql/query/dry_run_deferred.sql"), Vec::new())
            }
            Job::Undo(_) | Job::Fail(_) => Statement::verbatim(UNDO),
            Job::Rollback => Statement::verbatim("rollback"),
            Job::Outcome => Statement::of_session(
                include_str!("../../../../sql/query/dry_run_end.sql"),
                vec![self.transaction.as_str().into()],
            ),
            Job::Unlock => self.run.statement(&Task::Unlock),
        }
    }

    fn limits(&self) -> Statement {
        let give_way = self.limits.give_way_ms;
        let texts = [
            format!("{}ms", self.statement_ms()),
            format!("{give_way}ms"),
            format!("{}ms", give_way.saturating_add(IDLE_MS)),
            if self.is_alone() { "on".to_owned() } else { String::new() },
        ];
        let params: Vec<Value> = texts.iter().map(|text| text.as_str().into()).collect();
        Statement::of_session(include_str!("../../../../sql/query/dry_run_limits.sql"), params)
    }

    /// How long the next statement may take. Unit: milliseconds; zero: no end.
    fn statement_ms(&self) -> i64 {
        let (left, longest) = (self.left_ms().unwrap_or(1), i64::from(self.limits.statement_ms));
        match (left, longest) {
            (0, longest) => longest,
            (left, 0) => left,
            (left, longest) => left.min(longest),
        }
    }

    /// How long locks may still be held. Unit: milliseconds; zero: no end; none: not at all.
    fn left_ms(&self) -> Option<i64> {
        let hold = i64::from(self.limits.hold_ms);
        match self.held_since {
            _ if hold == 0 => Some(0),
            None => Some(hold),
            Some(since) => Some(hold - (self.clock - since)).filter(|left| *left > 0),
        }
    }

    /// What the run would send now, as it is sent here.
    pub(super) fn translate(&mut self, statement: Statement) {
        let Some(task) = self.run.current.clone() else { return };
        if self.shadow {
            return self.translate_in_shadow(&task, statement);
        }
        let jobs = match &task {
            Task::Unlock | Task::Unlimited | Task::LockTimeout(_) => return self.run.replied(Ok(Vec::new())),
            Task::Statement(place, index) => return self.stand_in(*place, *index),
            Task::Begin(_) => vec![hand(SAVE)],
            Task::ReadOnly => vec![Job::Aside(SAVE.into()), hand("set transaction read only")],
            Task::Rollback => vec![Job::Aside(UNDO.into()), hand(RELEASE)],
            // Before the savepoint is released, so that what fails is undone with its step.
            Task::Commit(_) => vec![Job::Immediate, Job::Deferred, hand(RELEASE)],
            // What the step before has set for its own transaction has ended with it.
            Task::Session(_) => vec![Job::Reset, Job::Hand(statement), Job::Limits],
            Task::Setting(..) | Task::Finalize(..) => {
                vec![Job::Limits, Job::File(Statement::single(statement.sql))]
            }
            Task::DropIndex(_, index) => {
                vec![Job::Limits, Job::File(Statement::single(format!("drop index if exists {index}")))]
            }
            Task::Verify(_) | Task::Check(..) => vec![Job::Limits, Job::File(statement)],
            Task::StepStart(place) => {
                self.begin_finding(*place);
                vec![Job::Hand(statement)]
            }
            _ => vec![Job::Hand(statement)],
        };
        self.jobs.extend(jobs);
    }

    fn stand_in(&mut self, place: Place, index: usize) {
        let step = self.run.step(place);
        let Some(sql) = step.statements().get(index).cloned() else { return };
        let (chosen, alone, only) = match &step.part {
            Part::Transaction(group) => (stand_in::plain(&sql), false, group.len() == 1),
            Part::Alone(sql, shape) => (stand_in::alone(sql, shape), true, true),
        };
        match chosen {
            StandIn::Itself => self.try_out(sql.text, alone),
            StandIn::As(text, remark) => {
                self.remark(remark.to_owned());
                self.try_out(text, alone);
            }
            StandIn::LeftOut(why) => self.leave_out(Verdict::LeftOut(why.to_owned()), only, sql.line),
            StandIn::Skipped(why) => self.leave_out(Verdict::NotTried(why.to_owned()), only, sql.line),
            StandIn::Ends(why) => self.end(Ended::Refused(format!("line {}: {why}", sql.line))),
        }
    }

    /// A statement is not sent, and the run goes on as if it had been.
    fn leave_out(&mut self, verdict: Verdict, only: bool, line: usize) {
        match (self.steps.last_mut(), &verdict) {
            (Some(step), _) if only => step.verdict = verdict,
            (_, Verdict::LeftOut(why) | Verdict::NotTried(why)) => self.remark(format!("line {line}: {why}")),
            _ => {}
        }
        self.run.replied(Ok(Vec::new()));
    }

    /// In the shadow everything is sent as it is, but for what would reach out of it. Nobody judges a verification there:
    /// there are no rows.
    fn translate_in_shadow(&mut self, task: &Task, statement: Statement) {
        match task {
            Task::StepStart(place) => self.begin_finding(*place),
            Task::Statement(place, index) => {
                let step = self.run.step(*place);
                let shape = match &step.part {
                    Part::Alone(_, shape) => Some(shape),
                    Part::Transaction(_) => None,
                };
                let Some(sql) = step.statements().get(*index) else { return };
                let (only, line) = (step.statements().len() == 1, sql.line);
                if let StandIn::LeftOut(why) = stand_in::in_shadow(sql, shape) {
                    return self.leave_out(Verdict::LeftOut(why.to_owned()), only, line);
                }
            }
            Task::Verify(_) | Task::Check(..) => {
                self.remark("the verification was not judged: there are no rows".to_owned());
                let row = ["", "", "", "t"].map(|text| Some(text.to_owned())).to_vec();
                return self.run.replied(Ok(vec![row]));
            }
            _ => {}
        }
        self.jobs.push_back(Job::Hand(statement));
    }

    fn begin_finding(&mut self, (m, s): Place) {
        self.steps.push(Finding::of(&self.run.moves[m], &self.run.moves[m].steps[s]));
    }

    /// What stands alone has no savepoint of the run's.
    fn try_out(&mut self, text: String, alone: bool) {
        self.jobs.extend(alone.then(|| Job::Aside(SAVE.into())));
        self.jobs.extend([Job::Limits, Job::File(Statement::single(text))]);
        if alone {
            self.jobs.extend([Job::Immediate, Job::Deferred, Job::Aside(RELEASE.into())]);
        }
    }

    pub(super) fn remark(&mut self, text: String) {
        if let Some(step) = self.steps.last_mut() {
            step.remarks.push(text);
        }
    }
}

impl Finding {
    /// Of a step that has begun.
    pub(super) fn of(moved: &Move, step: &Step) -> Finding {
        Finding {
            version: moved.version,
            name: moved.name.clone(),
            step: step.number,
            of: moved.steps.len(),
            summary: step.summary.clone(),
            verdict: Verdict::Passed,
            remarks: Vec::new(),
            ms: 0,
            rows: 0,
            locks: Vec::new(),
        }
    }
}

fn hand(sql: &str) -> Job {
    Job::Hand(Statement::verbatim(sql))
}
