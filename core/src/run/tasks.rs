//! The tasks of a run and the statement of each.

use super::{Event, Run};
use crate::adopt::{self, Ledger};
use crate::error::{DbError, Error, Kind, grant};
use crate::plan::{Direction, Move, Step};
use crate::script::Part;
use crate::statement::{Statement, Value};
use std::time::Duration;

/// Pause between two tries at the lock of a pack. Short beside a migration, long beside a round trip.
pub(super) const LOCK_POLL: Duration = Duration::from_millis(200);

/// Place of a step: index of its move, index of the step.
pub(super) type Place = (usize, usize);

/// One thing to do. The queue of a run holds them in order; the reply to one may put others before the rest.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Task {
    Tell(Event),
    Wait(Duration),
    /// The steps of a version, or the end after the last.
    Move(usize),
    /// The tasks of a step.
    Step(Place),
    /// What follows a step.
    After(Place),
    /// Tasks of which none waits for what comes of the one before.
    Together(Vec<Task>),
    Lock,
    LockHolder,
    Variables,
    Passed,
    Migrations,
    SameFiles,
    Counted,
    Settle,
    Ledgers,
    Adopt(Ledger, Vec<i64>),
    AdoptNone,
    /// Make the table of another tool.
    BeginLedger(String),
    Register,
    Claim,
    Steps,
    ReadOnly,
    /// A version's verification again: its file and its query.
    Check(i64, String, String),
    /// How that ended.
    Checked(i64, Option<Error>),
    Gate(i64),
    Pass(i64),
    StepStart(Place),
    /// In which transaction the version began to move.
    Intent(Place),
    Inspect(Place),
    /// After an index build: it may be another's that goes on, or broken.
    Confirm(Place),
    /// What a concurrent statement that broke has left behind.
    Leftovers(Place),
    DropIndex(Place, String),
    Finalize(Place, String),
    LockTimeout(Place),
    /// Who is in the way of a task that did not get its lock.
    Blockers(Box<(Task, DbError)>),
    Session(Place),
    Setting(Place, usize),
    Begin(Place),
    Statement(Place, usize),
    Verify(Place),
    StepDone(Place),
    /// The last step of a version, and with it the version.
    MigrationDone(Place),
    Commit(Place),
    /// What a file may have left in its session is undone: another role, other settings.
    Reset,
    /// State is written as the role that the session came with, whatever role the file has taken.
    OwnRole(Place),
    /// What the files have prepared in this session.
    Forget(Place),
    /// Verifications outside of a step take the time that they need.
    Unlimited,
    Rollback,
    /// The state that the run is left in, and why.
    StepFailed(Place, &'static str, DbError),
    /// Whether the operator has asked the run to stop, in a pause.
    Listen(Place),
    /// Whether the operator has asked the run to stop, after a statement of this task was cancelled.
    StopAsked(Box<(Task, DbError)>),
    RunEnd(&'static str),
    Unlock,
}

impl Task {
    /// The step that it belongs to.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Task::StepStart(p)
            | Task::Listen(p)
            | Task::Intent(p)
            | Task::Inspect(p)
            | Task::Confirm(p)
            | Task::Leftovers(p)
            | Task::DropIndex(p, _)
            | Task::Finalize(p, _)
            | Task::LockTimeout(p)
            | Task::Session(p)
            | Task::Setting(p, _)
            | Task::Begin(p)
            | Task::Statement(p, _)
            | Task::Verify(p)
            | Task::OwnRole(p)
            | Task::Forget(p)
            | Task::StepDone(p)
            | Task::MigrationDone(p)
            | Task::Commit(p) => Some(*p),
            _ => None,
        }
    }

    /// The error of its statement. What our own bookkeeping raises keeps its meaning, and a right that it lacks can be
    /// given.
    pub(super) fn failed(&self, doing: &str, cause: DbError) -> Error {
        let file =
            matches!(self, Task::Statement(..) | Task::Setting(..) | Task::Verify(_) | Task::Check(..));
        let (state, told, message) = (cause.sqlstate.clone(), cause.hint.is_some(), cause.message.clone());
        let error = Error::failed(doing, cause);
        match state.as_str() {
            _ if file => error,
            "42501" if !told => error.of_kind(Kind::Forbidden).hint(grant(&message)),
            "42501" => error.of_kind(Kind::Forbidden),
            "55P03" => error.of_kind(Kind::Locked),
            "ST006" => taken_over(),
            "ST007" => error.of_kind(Kind::Changed),
            _ => error,
        }
    }

    /// What it was about, for a message.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Task::Lock | Task::LockHolder | Task::Unlock => "the lock of the pack",
            Task::Variables
            | Task::Passed
            | Task::Migrations
            | Task::SameFiles
            | Task::Counted
            | Task::Steps => "reading the state",
            Task::Ledgers => "reading the tables of other migration tools",
            Task::Adopt(..) | Task::AdoptNone | Task::BeginLedger(_) => {
                "taking over the versions of another migration tool"
            }
            Task::Settle | Task::Register | Task::Claim | Task::RunEnd(_) | Task::StopAsked(_) => {
                "writing the state"
            }
            Task::Checked(..) | Task::Pass(_) => "writing the state",
            Task::ReadOnly | Task::Check(..) | Task::Gate(..) => "the gate of a phase",
            _ => "the session",
        }
    }
}

pub(super) fn taken_over() -> Error {
    Error::new(Kind::Locked, "another executor has taken the run over")
}

impl Run {
    pub(super) fn statement(&self, task: &Task) -> Statement {
        match task {
            Task::ReadOnly => Statement::verbatim("begin read only"),
            Task::Check(_, _, query) => Statement::check(query.as_str()),
            Task::Begin(_) => Statement::verbatim("begin"),
            Task::Commit(_) => Statement::verbatim("commit"),
            Task::Rollback => Statement::verbatim("rollback"),
            Task::Reset => Statement::reset(),
            Task::OwnRole(_) => Statement::own_role(),
            Task::Forget(_) => Statement::verbatim("deallocate all"),
            Task::Unlimited => Statement::verbatim("set local statement_timeout = 0"),
            Task::DropIndex(_, index) => {
                Statement::verbatim(format!("drop index concurrently if exists {index}"))
            }
            Task::Finalize(_, statement) => Statement::verbatim(statement),
            Task::Setting(place, index) => Statement::verbatim(&self.step(*place).settings[*index].text),
            Task::Statement(place, index) => Statement::verbatim(self.text(*place, *index)),
            Task::Verify((m, _)) => {
                Statement::check(self.moves[*m].verify.as_ref().map_or("", |(query, _)| query.as_str()))
            }
            state => self.bookkeeping(state),
        }
    }

    /// The statements of ours that keep the state.
    fn bookkeeping(&self, task: &Task) -> Statement {
        let name = || Value::from(self.pack.manifest.name.as_str());
        let run = || vec![Value::from(self.id.as_str()), Value::Int(self.attempt)];
        match task {
            Task::Lock => Statement::ours(include_str!("../../../sql/query/lock.sql"), vec![name()]),
            Task::LockHolder => {
                Statement::ours(include_str!("../../../sql/query/lock_holder.sql"), vec![name()])
            }
            Task::Unlock => Statement::ours(include_str!("../../../sql/query/unlock.sql"), vec![name()]),
            Task::Variables => {
                Statement::ours(include_str!("../../../sql/query/variables.sql"), vec![name()])
            }
            Task::Migrations => {
                Statement::ours(include_str!("../../../sql/query/migrations.sql"), vec![name()])
            }
            Task::SameFiles => {
                let params = vec![name(), Value::Json(self.pack.versions())];
                Statement::ours(include_str!("../../../sql/query/same_files.sql"), params)
            }
            Task::Counted => self.ask_counted(),
            Task::Settle => {
                let done = Value::Bool(self.is_carried_to_its_end());
                Statement::ours(include_str!("../../../sql/query/settle.sql"), vec![name(), done])
            }
            Task::Ledgers => adopt::question(&self.pack, &self.wish()),
            Task::Adopt(ledger, versions) => ledger.adopt(&self.pack, versions),
            Task::AdoptNone => adopt::never(&self.pack),
            Task::BeginLedger(name) => adopt::begin(&self.pack, name),
            Task::Register => self.pack.register(&self.values),
            Task::Claim => {
                let direction = self.request.direction.name().into();
                let wanted = self.request.run.as_deref().into();
                let (asked, goes_on) = (self.asked(), Value::Bool(self.carried.goes_on));
                let params = vec![name(), direction, wanted, asked, goes_on];
                Statement::ours(include_str!("../../../sql/query/claim.sql"), params)
            }
            Task::StopAsked(_) | Task::Listen(_) => {
                Statement::ours(include_str!("../../../sql/query/stop_asked.sql"), run()[..1].to_vec())
            }
            Task::RunEnd(state) => {
                let params = [run(), vec![(*state).into()]].concat();
                Statement::ours(include_str!("../../../sql/query/run_end.sql"), params)
            }
            Task::Steps => Statement::ours(include_str!("../../../sql/query/steps.sql"), run()[..1].to_vec()),
            Task::Passed => {
                Statement::ours(include_str!("../../../sql/query/phases_passed.sql"), vec![name()])
            }
            Task::Gate(phase) => {
                Statement::ours(include_str!("../../../sql/query/gate.sql"), vec![name(), (*phase).into()])
            }
            Task::Pass(phase) => {
                let params = [run(), vec![(*phase).into()]].concat();
                Statement::ours(include_str!("../../../sql/query/phase_passed.sql"), params)
            }
            Task::Checked(version, failure) => {
                let code = failure.as_ref().map(Error::sqlstate).into();
                let message = failure.as_ref().map(Error::message).into();
                let params = [run(), vec![(*version).into(), code, message]].concat();
                Statement::ours(include_str!("../../../sql/query/checked.sql"), params)
            }
            of_step => self.step_bookkeeping(of_step, run()),
        }
    }

    fn step_bookkeeping(&self, task: &Task, run: Vec<Value>) -> Statement {
        let at =
            |(m, s): Place| [Value::Int(self.moves[m].version), Value::Int(self.moves[m].steps[s].number)];
        let params = |place: Place, more: Vec<Value>| [run.clone(), at(place).to_vec(), more].concat();
        match task {
            Task::StepStart(place) => {
                let step = self.step(*place);
                let more =
                    vec![step.kind().into(), step.summary.as_str().into(), step.checksum.as_str().into()];
                let first = Value::Bool(self.is_first(*place));
                let steps = Value::Int(self.moves[place.0].steps.len() as i64);
                let params = params(*place, [more, vec![first, steps]].concat());
                Statement::ours(include_str!("../../../sql/query/step_start.sql"), params)
            }
            Task::StepDone(place) => {
                Statement::ours(include_str!("../../../sql/query/step_done.sql"), params(*place, Vec::new()))
            }
            Task::Intent((m, _)) => {
                let params = [run, vec![self.moves[*m].version.into()]].concat();
                Statement::ours(include_str!("../../../sql/query/intent.sql"), params)
            }
            Task::StepFailed(place, state, why) => {
                let told = vec![why.sqlstate.as_str().into(), why.message.as_str().into()];
                let said = [why.detail.as_deref(), why.hint.as_deref(), why.context.as_deref()];
                let more = [said.map(Value::from).to_vec(), vec![(*state).into()]].concat();
                let params = params(*place, [told, more].concat());
                Statement::ours(include_str!("../../../sql/query/step_failed.sql"), params)
            }
            Task::MigrationDone(place) => {
                let params = params(*place, Vec::new());
                Statement::ours(include_str!("../../../sql/query/migration_done.sql"), params)
            }
            Task::Session(place) => {
                let timeout = format!("{}ms", self.lock_timeout(*place));
                Statement::of_session(
                    include_str!("../../../sql/query/session.sql"),
                    vec![run[0].clone(), timeout.as_str().into()],
                )
            }
            about_locks => self.inspection(about_locks),
        }
    }

    /// The questions about what a step finds, and what it leaves.
    fn inspection(&self, task: &Task) -> Statement {
        match task {
            Task::Inspect(place) | Task::Confirm(place) | Task::Leftovers(place) => self.question(*place),
            Task::LockTimeout(_) => {
                let timeout = format!("{}ms", self.request.lock_timeout_ms);
                let query = include_str!("../../../sql/query/lock_timeout.sql");
                Statement::of_session(query, vec![timeout.as_str().into()])
            }
            Task::Blockers(broken) => self.who_is_in_the_way(&broken.0),
            other => unreachable!("{other:?} has no bookkeeping"),
        }
    }

    pub(super) fn step(&self, (m, s): Place) -> &Step {
        &self.moves[m].steps[s]
    }

    fn text(&self, place: Place, index: usize) -> &str {
        match &self.step(place).part {
            Part::Alone(sql, _) => &sql.text,
            Part::Transaction(group) => &group[index].text,
        }
    }

    /// True if no earlier step of the version is begun by this attempt.
    fn is_first(&self, (m, s): Place) -> bool {
        let done = |step: &Step| self.is_done(self.moves[m].version, step);
        self.moves[m].steps[..s].iter().all(done)
    }

    pub(super) fn is_done(&self, version: i64, step: &Step) -> bool {
        self.begun.get(&(version, step.number)).is_some_and(|(_, state)| state == "done")
    }

    pub(super) fn announcement(&self, moved: &Move) -> Event {
        let phase =
            self.pack.phase(moved.phase).map(|p| format!("{} {}", p.number, p.name)).unwrap_or_default();
        let Move { version, name, .. } = moved;
        Event::Migration { version: *version, name: name.clone(), direction: self.request.direction, phase }
    }

    pub(super) fn finished(&self, moved: &Move) -> Event {
        let direction: Direction = self.request.direction;
        Event::Finished { version: moved.version, name: moved.name.clone(), direction }
    }
}
