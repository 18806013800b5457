//! Waiting for locks: how long, how often again, and who is named when it was in vain.

use super::event::some_of;
use super::tasks::{Place, Task};
use super::{Event, Run};
use crate::error::{DbError, Error, Kind};
use crate::script::{self, Part, Shape};
use crate::statement::{Row, Statement, Value, column};
use std::time::Duration;

/// First pause before a step is tried again; it doubles with each try. Lets the writers that queued behind us pass before
/// we queue again.
const RETRY: Duration = Duration::from_millis(250);

/// Longest that a pause goes on without asking whether the operator wants the run to stop.
const DEAF: Duration = Duration::from_millis(400);

/// Longest such pause, before it is spread. Short beside the patience of a person, long beside a lock timeout.
const LONGEST: Duration = Duration::from_secs(2);

/// Tries of a concurrent statement that was chosen to end a deadlock.
const DEADLOCKS: u32 = 5;

/// What a step has spent on waiting so far.
#[derive(Debug, Default)]
pub(super) struct Patience {
    tries: u32,
    spent: Duration,
    /// Looks at an index that somebody else is building.
    pub(super) looks: u32,
    /// Index builds that turned out broken though the server had called them done.
    pub(super) rebuilds: u32,
}

/// How a statement waits for locks.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Others queue behind it: it gives up soon and tries again.
    Short,
    /// Nobody queues behind it.
    Long,
    /// It has its own ways.
    Own,
}

impl Run {
    /// `lock_timeout` of a step. Unit: milliseconds; zero: none.
    pub(super) fn lock_timeout(&self, place: Place) -> u128 {
        match self.manner(place) {
            Manner::Short => u128::from(self.request.lock_timeout_ms),
            Manner::Long => self.request.index_wait.as_millis(),
            Manner::Own => 0,
        }
    }

    fn manner(&self, place: Place) -> Manner {
        match &self.step(place).part {
            Part::Transaction(_) => Manner::Short,
            Part::Alone(_, shape) if shape.is_exclusive() => Manner::Short,
            Part::Alone(_, shape) if shape.is_concurrent() => Manner::Long,
            Part::Alone(..) => Manner::Own,
        }
    }

    /// True if a task failed because a lock was not to be had and nothing of it remains, or what remains is known.
    pub(super) fn is_blocked(&self, task: &Task, cause: &DbError) -> bool {
        let Some(place) = task.place() else { return false };
        let at_work = match self.step(place).part {
            Part::Transaction(_) => self.in_transaction,
            Part::Alone(..) => {
                matches!(task, Task::Statement(..) | Task::DropIndex(..) | Task::Finalize(..))
                    && self.manner(place) != Manner::Own
            }
        };
        at_work && matches!(cause.sqlstate.as_str(), "55P03" | "40P01")
    }

    /// Undoes, and asks who was in the way where nobody has looked while it waited.
    pub(super) fn blocked(&mut self, task: &Task, cause: DbError) {
        self.queue.clear();
        self.queue.extend(self.in_transaction.then_some(Task::Rollback));
        self.queue.extend(task.place().map(Task::OwnRole));
        match self.seen.holders.is_empty() {
            true => self.queue.push_back(Task::Blockers(Box::new((task.clone(), cause)))),
            false => self.step_back(task, cause),
        }
    }

    pub(super) fn who_is_in_the_way(&self, task: &Task) -> Statement {
        let names = match task {
            Task::Statement(place, index) => match &self.step(*place).part {
                Part::Alone(sql, _) => script::names(sql),
                Part::Transaction(group) => group.get(*index).map(script::names).unwrap_or_default(),
            },
            _ => Vec::new(),
        };
        let waits_for_transactions = task.place().is_some_and(|place| self.manner(place) == Manner::Long);
        let waited = self.request.index_wait.as_millis().max(self.request.lock_timeout_ms.into());
        let waited = waits_for_transactions.then_some(waited as i64);
        let params = vec![Value::Json(names.into()), waited.into()];
        Statement::of_session(include_str!("../../../sql/query/blockers.sql"), params)
    }

    pub(super) fn found_blockers(&mut self, broken: &(Task, DbError), rows: &[Row]) {
        self.seen.holders = rows.iter().map(|row| column(row, 0).to_owned()).collect();
        self.seen.relation = rows.iter().map(|row| column(row, 1).to_owned()).find(|name| !name.is_empty());
        self.step_back(&broken.0, broken.1.clone());
    }

    /// Tries again, or gives up.
    fn step_back(&mut self, task: &Task, cause: DbError) {
        let Some(place) = task.place() else { return };
        if self.stopping {
            let message = format!("{}: stopped while waiting for a lock", self.doing(task));
            let error = Error::new(Kind::Interrupted, message).hint("run the same command to go on");
            return self.fail(task, error);
        }
        self.patience.spent += Duration::from_millis(self.request.lock_timeout_ms.into());
        if !self.may_try_again(task, place, &cause) {
            return self.give_up(task, place, cause);
        }
        self.patience.tries += 1;
        let pause = self.pause();
        self.patience.spent += pause;
        let holders = std::mem::take(&mut self.seen.holders);
        let event = Event::Retry { attempt: self.patience.tries + 1, holders };
        self.queue.push_back(Task::Tell(event));
        self.push_pause(pause, place);
        self.push_attempt(place);
    }

    fn may_try_again(&self, task: &Task, place: Place, cause: &DbError) -> bool {
        match self.manner(place) {
            Manner::Long if !matches!(task, Task::Finalize(..)) => {
                cause.sqlstate == "40P01" && self.patience.tries + 1 < DEADLOCKS
            }
            _ => self.patience.spent < self.request.table_lock_patience,
        }
    }

    /// Nothing was changed, or what was left is cleaned up behind this.
    fn give_up(&mut self, task: &Task, place: Place, cause: DbError) {
        let (doing, holders) = (self.doing(task), some_of(&self.seen.holders));
        let held = |word: &str| match holders.as_str() {
            "" => String::new(),
            holders => format!("{word}{holders}"),
        };
        let (message, option) = match (self.manner(place), cause.sqlstate.as_str()) {
            (Manner::Long, "55P03") if !matches!(task, Task::Finalize(..)) => {
                let who = if holders.is_empty() { "other transactions" } else { holders.as_str() };
                let seconds = self.request.index_wait.as_secs_f64();
                (
                    format!("{doing}: waited {seconds} s for {who}"),
                    self.option("--index-wait", "strata.index_wait"),
                )
            }
            _ => {
                let table = self.seen.relation.as_deref().map(|t| format!(" on {t}")).unwrap_or_default();
                let (tries, seconds) = (self.patience.tries + 1, self.patience.spent.as_secs());
                let held = held(", which is held by ");
                let message = format!("{doing}: no lock{table} in {tries} tries over {seconds} s{held}");
                let here = "strata.table_lock_patience, or strata.table_lock_timeout";
                (message, self.option("--table-lock-patience, or --table-lock-timeout", here))
            }
        };
        let hint = format!(
            "run the same command when they have ended, stop one with strata locks, or raise {option}"
        );
        let detail = Some(cause.message).filter(|text| !text.is_empty());
        let error = Error::new(Kind::Locked, format!("{message} (SQLSTATE {})", cause.sqlstate));
        let error = error.with_sqlstate(&cause.sqlstate).hint(hint);
        self.fail(task, detail.into_iter().fold(error, |error, detail| error.detail(detail)));
    }

    /// What lets a run wait longer, where it was asked for.
    fn option(&self, command_line: &'static str, here: &'static str) -> &'static str {
        if self.request.run.is_some() { here } else { command_line }
    }

    /// A pause in which the operator is heard.
    fn push_pause(&mut self, mut left: Duration, place: Place) {
        while !left.is_zero() {
            let part = left.min(DEAF);
            self.queue.extend([Task::Wait(part), Task::Listen(place)]);
            left -= part;
        }
    }

    /// Doubles with each try, and is spread over half of it to one and a half, so that runs that met do not meet again.
    fn pause(&self) -> Duration {
        let tries = self.patience.tries;
        let pause = (RETRY * 2u32.pow(tries.min(6))).min(LONGEST);
        let spread = (self.request.seed >> (tries % 8 * 8)) as u32 & 0xff;
        pause / 2 + pause * spread / 256
    }
}

/// True if a part is the build of an index.
pub(super) fn is_index_build(part: &Part) -> bool {
    matches!(part, Part::Alone(_, Shape::CreateIndex { .. }))
}
