//! What a concurrent statement finds when it begins, and what it leaves when it breaks. Looked up in the catalog, never
//! guessed.

use super::patience::is_index_build;
use super::tasks::{Place, Task};
use super::{Event, Run};
use crate::error::{Error, Kind};
use crate::script::{Part, Shape};
use crate::statement::{Row, Statement, Value, column};
use std::time::Duration;

/// Between two looks at an index that somebody else is building.
const LOOK: Duration = Duration::from_millis(500);

/// Looks between two lines that say so.
const LOOKS_A_LINE: u32 = 10;

/// Builds of one index, of which every one was broken by others, before a run gives up.
const BUILDS: u32 = 3;

impl Run {
    fn shape(&self, place: Place) -> Option<&Shape> {
        match &self.step(place).part {
            Part::Alone(_, shape) => Some(shape),
            Part::Transaction(_) => None,
        }
    }

    /// True if a step looks at the catalog before it begins.
    pub(super) fn is_inspected(&self, place: Place) -> bool {
        let shape = self.shape(place);
        matches!(shape, Some(Shape::CreateIndex { .. } | Shape::Reindex { .. } | Shape::Detach { .. }))
    }

    pub(super) fn is_reindex(&self, place: Place) -> bool {
        matches!(self.shape(place), Some(Shape::Reindex { .. }))
    }

    pub(super) fn is_index_build(&self, place: Place) -> bool {
        is_index_build(&self.step(place).part)
    }

    /// What a step asks the catalog.
    pub(super) fn question(&self, place: Place) -> Statement {
        let (query, names): (&'static str, Vec<Value>) = match self.shape(place) {
            Some(Shape::CreateIndex { index, table }) => (
                include_str!("../../../sql/query/index_state.sql"),
                vec![table.as_str().into(), index.as_str().into()],
            ),
            Some(Shape::Reindex { what, name }) => (
                include_str!("../../../sql/query/index_leftovers.sql"),
                vec![what.as_str().into(), name.as_str().into(), self.intent.as_str().into()],
            ),
            Some(Shape::Detach { parent, partition }) => (
                include_str!("../../../sql/query/detach_state.sql"),
                vec![parent.as_str().into(), partition.as_str().into()],
            ),
            other => unreachable!("{other:?} is not inspected"),
        };
        Statement::of_session(query, names)
    }

    /// Whether an earlier attempt has begun this step, and if so, with this text.
    fn begun_before(&self, place: Place) -> Option<bool> {
        let (version, step) = (self.moves[place.0].version, self.step(place));
        self.begun.get(&(version, step.number)).map(|(checksum, _)| *checksum == step.checksum)
    }

    pub(super) fn inspected(&mut self, place: Place, rows: &[Row]) -> Result<(), Error> {
        match self.shape(place) {
            Some(Shape::CreateIndex { .. }) => self.inspected_index(place, rows),
            Some(Shape::Detach { .. }) => {
                self.inspected_partition(place, rows);
                Ok(())
            }
            _ => {
                self.drop_all(place, rows);
                self.push_body(place);
                Ok(())
            }
        }
    }

    fn inspected_index(&mut self, place: Place, rows: &[Row]) -> Result<(), Error> {
        let same = self.begun_before(place);
        let found = rows.first().map(|row| (column(row, 0), column(row, 1), column(row, 2)));
        match (found, same) {
            (Some(("building", index, who)), _) => {
                return self.wait_for_builder(index, who, Task::Inspect(place));
            }
            // Built by an earlier attempt that died before it could say so.
            (Some(("valid", ..)), Some(true)) => {
                self.push_done(place);
                self.queue.push_back(Task::After(place));
            }
            // Broken; or whole, but of an earlier attempt whose statement has been changed since.
            (Some(("invalid", index, _)), _) | (Some(("valid", index, _)), Some(false)) => {
                self.drop_one(place, index);
                self.push_body(place);
            }
            _ => self.push_body(place),
        }
        Ok(())
    }

    /// After a build: `if not exists` is content with an index that somebody else is still building, or has broken.
    pub(super) fn confirmed(&mut self, place: Place, rows: &[Row]) -> Result<(), Error> {
        let found = rows.first().map(|row| (column(row, 0), column(row, 1), column(row, 2)));
        match found {
            Some(("building", index, who)) => {
                let rest = std::mem::take(&mut self.queue);
                self.wait_for_builder(index, who, Task::Confirm(place))?;
                self.queue.extend(rest);
            }
            Some(("invalid", index, _)) => {
                self.patience.rebuilds += 1;
                if self.patience.rebuilds >= BUILDS {
                    let message = format!("index {index} was built {BUILDS} times and is not valid");
                    return Err(Error::new(Kind::Failed, message)
                        .with_sqlstate("55000")
                        .hint("look who else drops or builds it: strata locks"));
                }
                self.queue.clear();
                self.drop_one(place, index);
                self.push_body(place);
            }
            _ => {}
        }
        Ok(())
    }

    /// Somebody else's build is not broken: it goes on.
    fn wait_for_builder(&mut self, index: &str, who: &str, then: Task) -> Result<(), Error> {
        if self.stopping {
            let message = format!("stopped while {who} builds index {index}");
            return Err(Error::new(Kind::Interrupted, message).hint("run the same command to go on"));
        }
        let most = self.request.index_wait;
        if !most.is_zero() && LOOK * self.patience.looks >= most {
            let message =
                format!("waited {} s for index {index}, which is being built by {who}", most.as_secs_f64());
            return Err(Error::new(Kind::Locked, message)
                .hint("run the same command when that has ended, or raise --index-wait"));
        }
        if self.patience.looks.is_multiple_of(LOOKS_A_LINE) {
            let holders = vec![format!("{who}, who is building index {index}")];
            self.queue.push_back(Task::Tell(Event::Blocked { holders }));
        }
        self.patience.looks += 1;
        self.queue.push_back(Task::Wait(LOOK));
        if let Some(place) = then.place() {
            self.queue.extend([Task::OwnRole(place), Task::Listen(place), Task::Session(place)]);
            self.push_settings(place);
        }
        self.queue.push_back(then);
        Ok(())
    }

    /// A detach that broke in its second half is finished by another statement.
    fn inspected_partition(&mut self, place: Place, rows: &[Row]) {
        let state = rows.first().map(|row| column(row, 0));
        match (state, self.begun_before(place)) {
            (Some("pending"), _) => {
                if let Some(Shape::Detach { parent, partition }) = self.shape(place) {
                    let finalize = format!("alter table {parent} detach partition {partition} finalize");
                    let tasks = [
                        // Others wait behind this one.
                        Task::LockTimeout(place),
                        Task::Finalize(place, finalize),
                    ];
                    self.queue.extend(tasks);
                    self.push_done(place);
                    self.queue.push_back(Task::After(place));
                }
            }
            (None, Some(true)) => {
                self.push_done(place);
                self.queue.push_back(Task::After(place));
            }
            _ => self.push_body(place),
        }
    }

    fn drop_one(&mut self, place: Place, index: &str) {
        let event = Event::Repair { index: index.to_owned() };
        self.queue.extend([Task::Tell(event), Task::DropIndex(place, index.to_owned())]);
    }

    fn drop_all(&mut self, place: Place, rows: &[Row]) {
        for row in rows {
            self.drop_one(place, column(row, 0));
        }
    }

    /// Queues what removes the remains of a concurrent statement that broke: they would cost every writer their upkeep.
    pub(super) fn push_clean_up(&mut self, task: &Task) {
        let Task::Statement(place, _) = task else { return };
        if matches!(self.shape(*place), Some(Shape::CreateIndex { .. } | Shape::Reindex { .. })) {
            self.queue.extend([Task::LockTimeout(*place), Task::Leftovers(*place)]);
        }
    }

    pub(super) fn found_leftovers(&mut self, place: Place, rows: &[Row]) -> Result<(), Error> {
        let broken = |row: &&Row| !self.is_index_build(place) || column(row, 0) == "invalid";
        let at = if self.is_index_build(place) { 1 } else { 0 };
        let names: Vec<String> = rows.iter().filter(broken).map(|row| column(row, at).to_owned()).collect();
        for index in names {
            self.queue.push_front(Task::DropIndex(place, index));
        }
        Ok(())
    }

    /// What could not be removed now is told, and is removed by the next run.
    pub(super) fn could_not_clean_up(&mut self, task: &Task) {
        let Task::DropIndex(_, index) = task else { return };
        if let Some(error) = self.failure.take() {
            let hint = format!("index {index} is left invalid: the next run of the same command drops it");
            let hint = error.get_hint().map(|before| format!("{before}; {hint}")).unwrap_or(hint);
            self.failure = Some(error.hint(hint));
        }
    }

    /// An index that is gone because an earlier attempt dropped it, and died before it could say so.
    pub(super) fn dropped_before(&self, task: &Task) -> bool {
        let Task::Statement(place, _) = task else { return false };
        matches!(self.shape(*place), Some(Shape::DropIndex)) && self.begun_before(*place).is_some()
    }
}
