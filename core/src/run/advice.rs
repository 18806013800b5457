//! What helps against errors of the server that are not about the statement itself.

use super::Run;
use super::tasks::Task;
use crate::error::DbError;
use crate::script::{Part, Shape};

impl Run {
    /// The same with a hint where the server has none, and with the key where that is what one has to know.
    pub(super) fn advise(&self, task: &Task, mut cause: DbError) -> DbError {
        let shape = match task.place().map(|place| &self.step(place).part) {
            Some(Part::Alone(_, shape)) => Some(shape),
            _ => None,
        };
        let builds = matches!(shape, Some(Shape::CreateIndex { .. }));
        if let Some(key) = cause.detail.take_if(|_| builds && cause.sqlstate == "23505") {
            cause.message = format!("{}: {key}", cause.message.trim_end_matches('.'));
        }
        if cause.hint.is_none() {
            cause.hint = advice(&cause, builds).map(str::to_owned);
        }
        cause
    }
}

fn advice(cause: &DbError, builds_index: bool) -> Option<&'static str> {
    Some(match cause.sqlstate.as_str() {
        "0A000" if builds_index && cause.message.contains("partitioned") => {
            "create the index on only the parent, concurrently on each partition, and attach them: alter index ... \
             attach partition"
        }
        "23505" if builds_index => "remove the duplicates, then run the same command again",
        "53100" | "53200" | "53400" => {
            "make room, then run the same command again: it goes on where this one ended"
        }
        "57014" if cause.message.contains("statement timeout") => {
            "the file sets a statement_timeout, or something it calls does; raise it there"
        }
        "25001" | "2D000" => "write \"-- strata: no transaction\" on the line before that statement",
        "55P04" => "write \"-- strata: new transaction\" on the line before that statement",
        "25006" => {
            "the session may only read: look for default_transaction_read_only, or connect to the primary"
        }
        "26000" => "prepare it in the step that executes it: a run that goes on has another session",
        "42P05" => {
            "a prepared statement lasts as long as the session: deallocate it where it is not needed any more"
        }
        _ => return None,
    })
}
