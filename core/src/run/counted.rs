//! A run for so many versions that did not end: the same command again goes on with it, and moves no further than was
//! asked for. Whoever repeats `down 1` because the terminal went away does not want two versions taken back.

use super::tasks::Task;
use super::{Event, Run};
use crate::plan::{Direction, Target};
use crate::statement::{Row, Statement, Value, column};
use serde_json::json;

/// What the newest run of the pack has moved, where it was asked for as many versions in the same direction and did not
/// end.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// There is such a run.
    pub(super) goes_on: bool,
    moved: Vec<(i64, String)>,
}

impl Run {
    pub(super) fn ask_counted(&self) -> Statement {
        let Target::Count(asked) = self.request.target else { unreachable!("only asked of a count") };
        let (pack, direction) = (self.pack.manifest.name.as_str(), self.request.direction.name());
        let params = vec![pack.into(), direction.into(), Value::Int(asked as i64)];
        Statement::ours(include_str!("../../../sql/query/counted.sql"), params)
    }

    pub(super) fn read_counted(&mut self, rows: &[Row]) {
        let moved = |row: &Row| Some((column(row, 0).parse().ok()?, column(row, 1).to_owned()));
        self.carried = Carried { goes_on: !rows.is_empty(), moved: rows.iter().filter_map(moved).collect() };
    }

    /// Of the versions that were asked for, those that are still to be moved.
    pub(super) fn remaining(&self, asked: usize) -> usize {
        asked.saturating_sub(self.carried.moved.len())
    }

    /// Under the lock, when it is known what is to be moved.
    pub(super) fn count(&mut self) {
        let Target::Count(asked) = self.request.target else { return };
        self.report.short = self.remaining(asked).saturating_sub(self.moves.len());
        self.report.before = self.carried.moved.clone();
        if !self.carried.moved.is_empty() {
            let (direction, moved) = (self.request.direction, self.carried.moved.clone());
            self.queue.push_back(Task::Tell(Event::Carried { direction, moved, of: asked }));
        }
    }

    /// True if the run that was interrupted has moved all that it was asked for.
    pub(super) fn is_carried_to_its_end(&self) -> bool {
        matches!(self.request.target, Target::Count(asked) if self.carried.goes_on && self.remaining(asked) == 0)
    }

    /// What was asked for, as `strata.run` keeps it: whoever goes on with the run moves no further.
    pub(super) fn asked(&self) -> Value {
        Value::Json(match self.request.target {
            Target::All => json!({}),
            Target::Count(count) => json!({ "count": count }),
            Target::Phase(number) => json!({ "to_phase": number }),
            Target::Version(version) | Target::Goto(version) => json!({ "target": version }),
        })
    }
}

/// One line.
pub(super) fn told(direction: Direction, moved: &[(i64, String)], of: usize) -> String {
    let done = if direction == Direction::Up { "applied" } else { "taken back" };
    let names: Vec<String> = moved.iter().map(|(version, name)| format!("{version} {name}")).collect();
    let names = names.join(", ");
    match moved.len() {
        all if all == of => {
            format!("the run that was interrupted had {done} {names}; nothing more is {done}")
        }
        some => {
            format!(
                "going on with the run that was interrupted: it had {done} {some} of {of} versions, {names}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done_and_what_is_left() {
        let moved = [(3, "c".to_owned())];
        assert_eq!(
            told(Direction::Down, &moved, 1),
            "the run that was interrupted had taken back 3 c; nothing more is taken back"
        );
        assert_eq!(
            told(Direction::Up, &moved, 2),
            "going on with the run that was interrupted: it had applied 1 of 2 versions, 3 c"
        );
    }
}
