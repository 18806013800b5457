//! A run: moving a pack to a version, as a value that a door turns by hand.
//!
//! The door calls [`Run::turn`], does what it says, and hands the reply of a statement to [`Run::replied`]. Nothing is
//! held between the two calls but this value and one session, so that any door can drive it: a connection, a background
//! worker. State is told before and after: a step's intent is committed before it runs, its outcome with it or after it.

mod adoption;
mod advice;
mod counted;
mod dry_run;
mod event;
mod gate;
mod patience;
mod repair;
mod replies;
mod tasks;
mod watch;

pub use dry_run::{DryRun, Ended, Finding, GIVE_WAY_MS, HOLD, Limits, Lock, Trial, Verdict};
pub use gate::next_command;
pub use watch::Rhythm;

use crate::adopt::Wish;
use crate::error::Error;
use crate::pack::Pack;
use crate::plan::{Direction, Known, Move, Target};
use crate::statement::Statement;
use crate::variables::Values;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tasks::Task;

/// Longest that a step in a transaction waits for a lock, unless the caller says otherwise. Unit: milliseconds. Below
/// Postgres' default deadlock_timeout of one second: of a migration and a writer who block each other, the migration gives
/// up and tries again before the server would cancel the writer.
pub const LOCK_TIMEOUT_MS: u32 = 500;

/// How long a step tries to get its locks, unless the caller says otherwise. Chosen: longer than what an application asks
/// in passing, shorter than the patience of whoever has started the run.
pub const TABLE_LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which way.
    pub direction: Direction,
    /// How far.
    pub target: Target,
    /// How long to try for the lock of the pack before giving up.
    pub lock_patience: Duration,
    /// Longest that a step in a transaction may wait for a lock, and make others wait behind it. Milliseconds.
    pub lock_timeout_ms: u32,
    /// How long such a step tries again, pauses and all, before it gives up.
    pub table_lock_patience: Duration,
    /// Longest that a concurrent statement may wait for one other transaction; nobody waits behind it. Zero: no end.
    pub index_wait: Duration,
    /// Any number; spreads the retries of several runs.
    pub seed: u64,
    /// The run in the database that this is, where it was asked for beforehand; no other is taken then.
    pub run: Option<String>,
    /// What the caller says about the tables of other migration tools.
    pub wish: Wish,
}

impl Request {
    /// Everything pending, or everything applied, with the patience that suits a live database.
    pub fn new(direction: Direction, target: Target) -> Self {
        Request {
            direction,
            target,
            lock_patience: Duration::from_secs(15),
            lock_timeout_ms: LOCK_TIMEOUT_MS,
            table_lock_patience: TABLE_LOCK_PATIENCE,
            index_wait: Duration::ZERO,
            seed: 0,
            run: None,
            wish: Wish::Find,
        }
    }
}

/// What the door must do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Run this and hand the reply back.
    Run(Statement),
    /// Run these in this order, without waiting for anything between them; the first that fails ends them. Hand back the
    /// replies, one by one, through that of the one that failed.
    Together(Vec<Statement>),
    /// Let this much time pass, holding no snapshot.
    Wait(Duration),
    /// Show this.
    Tell(Event),
    /// The end. The state in the database says the same.
    Done(Result<Report, Error>),
}

/// What happens, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another executor holds the pack.
    Waiting {
        /// Its process id and who it is, where the server tells.
        holder: String,
    },
    /// What another migration tool has applied counts as applied.
    Adopted {
        /// How many versions.
        versions: usize,
        /// Its table.
        table: String,
    },
    /// An earlier run of the same command ended before its end: what it has moved counts.
    Carried {
        /// Which way.
        direction: Direction,
        /// What it has moved, with the names.
        moved: Vec<(i64, String)>,
        /// How many versions were asked for.
        of: usize,
    },
    /// A version starts.
    Migration {
        /// Number.
        version: i64,
        /// Name.
        name: String,
        /// Which way.
        direction: Direction,
        /// Number and name of its phase.
        phase: String,
    },
    /// A step starts.
    Step {
        /// From 1.
        number: i64,
        /// Steps of the version.
        of: usize,
        /// One line.
        summary: String,
    },
    /// A step is tried again after a lock was not to be had.
    Retry {
        /// Which try comes next, from 2.
        attempt: u32,
        /// Who was in the way, one line each, where that is known.
        holders: Vec<String>,
    },
    /// A statement waits for others.
    Blocked {
        /// One line each.
        holders: Vec<String>,
    },
    /// How far an index build is.
    Progress {
        /// One line.
        text: String,
    },
    /// The remains of a broken index build are removed.
    Repair {
        /// The index.
        index: String,
    },
    /// The server said something of its own accord; a door tells it, not core.
    Notice {
        /// Severity and message.
        text: String,
    },
    /// The operator has asked the run to stop.
    Stopping {
        /// False: the version at work is finished first. True: its statement is cancelled.
        at_once: bool,
    },
    /// The gate of a phase without migrations is met, and the phase with it.
    Gate {
        /// Number and name of the phase.
        phase: String,
    },
    /// A version is done.
    Finished {
        /// Number.
        version: i64,
        /// Name.
        name: String,
        /// Which way.
        direction: Direction,
    },
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The run's id; none when there was nothing to do.
    pub run: Option<String>,
    /// Versions moved, in order, with their names.
    pub moved: Vec<(i64, String)>,
    /// Of the versions that were asked for by number, those that an earlier run had moved when it was interrupted.
    pub before: Vec<(i64, String)>,
    /// Phases without migrations whose gate was met.
    pub passed: Vec<i64>,
    /// Of the versions that were asked for by number, how many there are not.
    pub short: usize,
}

/// A run being turned.
#[derive(Debug)]
pub struct Run {
    pack: Pack,
    request: Request,
    queue: VecDeque<Task>,
    current: Option<Task>,
    /// What was given together and has no reply yet.
    together: VecDeque<Task>,
    /// Nothing is to be given together.
    apart: bool,
    known: Vec<Known>,
    carried: counted::Carried,
    /// A run of the pack is called running.
    unsettled: bool,
    stored: Values,
    values: Values,
    moves: Vec<Move>,
    /// Checksum and state of the steps that an earlier attempt began, by version and number.
    begun: HashMap<(i64, i64), (String, String)>,
    /// Phases without migrations that were passed before.
    passed: Vec<i64>,
    /// Phases whose gate this attempt has found met.
    open: Vec<i64>,
    id: String,
    attempt: i64,
    locked: bool,
    in_transaction: bool,
    lock_tries: u32,
    /// Statements of the clean-up that were sent again.
    repeats: u32,
    /// The move whose steps may have left their mark on the session.
    soiled: Option<usize>,
    /// Transaction of the intent of the step at work, where it was asked for.
    intent: String,
    patience: patience::Patience,
    seen: watch::Seen,
    stopping: bool,
    handing_back: bool,
    report: Report,
    failure: Option<Error>,
}

impl Run {
    /// A run that has not begun. `pack.given` are the values that the caller gave.
    pub fn new(pack: Pack, request: Request) -> Self {
        Run {
            queue: adoption::reading(&pack, &request).collect(),
            pack,
            request,
            current: None,
            together: VecDeque::new(),
            apart: false,
            known: Vec::new(),
            carried: counted::Carried::default(),
            unsettled: false,
            stored: Values::new(),
            values: Values::new(),
            moves: Vec::new(),
            begun: HashMap::new(),
            passed: Vec::new(),
            open: Vec::new(),
            id: String::new(),
            attempt: 0,
            locked: false,
            in_transaction: false,
            lock_tries: 0,
            repeats: 0,
            soiled: None,
            intent: String::new(),
            patience: patience::Patience::default(),
            seen: watch::Seen::default(),
            stopping: false,
            handing_back: false,
            report: Report::default(),
            failure: None,
        }
    }

    /// What the door must do now.
    pub fn turn(&mut self) -> Next {
        loop {
            match self.queue.pop_front() {
                None => return Next::Done(self.outcome()),
                Some(Task::Tell(event)) => return Next::Tell(event),
                Some(Task::Wait(time)) => return Next::Wait(time),
                Some(Task::Move(m)) => self.begin_move(m),
                Some(Task::Step(place)) => self.begin_step(place),
                Some(Task::After(place)) => self.after_step(place),
                Some(Task::Together(tasks)) if self.apart => {
                    tasks.into_iter().rev().for_each(|task| self.queue.push_front(task));
                }
                Some(Task::Together(tasks)) => return self.give_together(tasks),
                Some(task) => {
                    let statement = self.statement(&task);
                    self.look_away(&task);
                    self.current = Some(task);
                    return Next::Run(statement);
                }
            }
        }
    }

    /// Each statement by itself, for a door that has its own between them: [`Next::Together`] does not come.
    pub(crate) fn apart(mut self) -> Self {
        self.apart = true;
        self
    }

    fn give_together(&mut self, tasks: Vec<Task>) -> Next {
        tasks.iter().for_each(|task| self.look_away(task));
        let statements = tasks.iter().map(|task| self.statement(task)).collect();
        self.together = tasks.into();
        Next::Together(statements)
    }

    /// Asks the run to end before the next version begins. What has begun is finished.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// The same, and the run is left for another executor to go on with.
    pub fn hand_back(&mut self) {
        (self.stopping, self.handing_back) = (true, true);
    }

    /// True once there is a run in the database whose state this one keeps.
    pub fn is_claimed(&self) -> bool {
        self.attempt > 0
    }

    /// Which way it goes; of a target that may lie either way it is known once the state was read.
    pub fn direction(&self) -> Direction {
        self.request.direction
    }

    /// The attempt, from 1; zero before the claim.
    pub fn attempt(&self) -> i64 {
        self.attempt
    }

    fn outcome(&mut self) -> Result<Report, Error> {
        match self.failure.take() {
            Some(error) => Err(error),
            None => Ok(self.report.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
