//! Watching a statement at work from a second session: who is in its way, and how far it has come.

use super::tasks::Task;
use super::{Event, Run};
use crate::script::Part;
use crate::statement::{Row, Statement, column};
use std::time::Duration;

/// First look at a statement that may wait long, and the time between two later ones.
const LONG: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// Looks within a lock timeout, before they become as rare as those at a long statement.
const OFTEN: u32 = 20;

/// When to look at a statement at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    first: Duration,
    often: Duration,
}

impl Rhythm {
    /// The pause before a look; `looks` were taken.
    pub fn pause(&self, looks: u32) -> Duration {
        match looks {
            0 => self.first,
            1..OFTEN => self.often,
            _ => self.often.max(LONG.1),
        }
    }
}

/// What was seen of the statement at work.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Who was in the way at the last look, one line each.
    pub(super) holders: Vec<String>,
    /// The relation whose lock it waited for.
    pub(super) relation: Option<String>,
    /// A phase of an index build, when it was first seen, and how much of it was done then.
    phase: Option<(String, Duration, u64)>,
}

impl Run {
    /// When a door that has a second session should ask [`Run::look`] there, counted from the beginning of the statement
    /// at work; none where nobody has to.
    pub fn rhythm(&self) -> Option<Rhythm> {
        let waits =
            |task: &&Task| matches!(task, Task::Statement(..) | Task::DropIndex(..) | Task::Finalize(..));
        let place = self.current.iter().chain(&self.together).find(waits)?.place()?;
        // Once before the lock timeout ends the wait: afterwards nobody could say who it was.
        let within = Duration::from_millis(self.request.lock_timeout_ms.into()) * 3 / 5;
        let (first, often) = match &self.step(place).part {
            Part::Transaction(_) => (within.min(LONG.0), within.min(LONG.0)),
            Part::Alone(_, shape) if shape.is_exclusive() => (within.min(LONG.0), within.min(LONG.0)),
            Part::Alone(..) => LONG,
        };
        Some(Rhythm { first, often })
    }

    /// True if what is at work may wait long for others, or take long, where everybody should be able to read who is in its
    /// way.
    pub fn is_watched(&self) -> bool {
        let place = self.rhythm().and(self.current.as_ref()).and_then(Task::place);
        place.is_some_and(|place| matches!(self.step(place).part, Part::Alone(..)))
    }

    /// The question for the second session.
    pub fn look(&self) -> Statement {
        Statement::ours(include_str!("../../../sql/query/watch.sql"), vec![self.id.as_str().into()])
    }

    /// The answer to [`Run::look`], and how long the statement has been at work. What is worth telling.
    pub fn looked(&mut self, rows: &[Row], elapsed: Duration) -> Vec<Event> {
        let of = |kind: &'static str| rows.iter().filter(move |row| column(row, 0) == kind);
        self.seen.holders = of("blocker").map(|row| column(row, 1).to_owned()).collect();
        self.seen.relation = of("wanted").map(|row| column(row, 2).to_owned()).next();
        let place = self.current.as_ref().and_then(Task::place);
        if !place.is_some_and(|place| matches!(self.step(place).part, Part::Alone(..))) {
            return Vec::new();
        }
        let progress = of("index").next().map(|row| self.progress(row, elapsed));
        let holders = self.seen.holders.clone();
        let blocked = (!holders.is_empty()).then_some(Event::Blocked { holders });
        progress.map(|text| Event::Progress { text }).into_iter().chain(blocked).collect()
    }

    /// Before another statement begins.
    pub(super) fn look_away(&mut self, task: &Task) {
        if matches!(task, Task::Statement(..) | Task::DropIndex(..) | Task::Finalize(..)) {
            self.seen = Seen::default();
        }
    }

    /// Phase, percent, blocks or tuples, and the time that this phase still takes at the rate it has had since it was seen.
    fn progress(&mut self, row: &Row, elapsed: Duration) -> String {
        let number = |index| column(row, index).parse::<u64>().unwrap_or(0);
        let phase = column(row, 1).to_owned();
        let (done, total, unit) = match (number(3), number(5)) {
            (0, 0) => return phase,
            (0, tuples) => (number(4), tuples, "tuples"),
            (blocks, _) => (number(2), blocks, "blocks"),
        };
        let same = self.seen.phase.as_ref().is_some_and(|(seen, ..)| *seen == phase);
        if !same {
            self.seen.phase = Some((phase.clone(), elapsed, done));
        }
        let percent = done as f64 * 100.0 / total as f64;
        let left = self.left(done, total, elapsed).map(|s| format!(", about {s} s left")).unwrap_or_default();
        format!("{phase}, {percent:.1} %, {done} of {total} {unit}{left}")
    }

    /// Unit: seconds.
    fn left(&self, done: u64, total: u64, elapsed: Duration) -> Option<u64> {
        let (_, since, from) = self.seen.phase.as_ref()?;
        let (took, gained) = (elapsed.saturating_sub(*since), done.saturating_sub(*from));
        let rate = gained as f64 / took.as_secs_f64();
        (gained > 0 && rate.is_finite()).then(|| (total.saturating_sub(done) as f64 / rate).ceil() as u64)
    }
}
