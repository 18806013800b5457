//! The beginning of a run: what is known, what another migration tool says, what is to be moved.
//!
//! It is read twice. Once without the lock, so that a run with nothing to do ends at once even while another one is at
//! work; and again under the lock, where it counts.

use super::tasks::Task;
use super::{Event, Request, Run};
use crate::adopt::{self, Adoption, Ledger, Wish};
use crate::error::{Error, Kind};
use crate::pack::Pack;
use crate::plan::{self, Known, Move, Target};
use crate::statement::{Row, column};

/// The questions that are asked first.
pub(super) fn reading(pack: &Pack, request: &Request) -> impl Iterator<Item = Task> + use<> {
    let gated = !plan::unpassed(pack, &[], i64::MAX).is_empty();
    let passed = gated.then_some(Task::Passed);
    let counted = matches!(request.target, Target::Count(_)).then_some(Task::Counted);
    let first = [Task::Variables].into_iter().chain(passed).chain([Task::Migrations]);
    first.chain(counted).chain([Task::Ledgers])
}

impl Run {
    pub(super) fn wish(&self) -> Wish {
        self.request.wish.clone().of(&self.pack)
    }

    /// A folder that nobody has described is known by its name alone. Renamed, it looks as if nothing of it were applied.
    pub(super) fn ask_for_the_same(&mut self) {
        if !self.locked && self.known.is_empty() && !self.pack.described && self.wish() != Wish::Never {
            self.queue.push_front(Task::SameFiles);
        }
    }

    pub(super) fn no_other_name(&self, rows: &[Row]) -> Result<(), Error> {
        let Some(row) = rows.first() else { return Ok(()) };
        let (other, version) = (column(row, 0), column(row, 1));
        let message = format!(
            "pack {} is not known here, and pack {other} has applied version {version} with the same file",
            self.pack.manifest.name
        );
        Err(Error::new(Kind::NotConfirmed, message).hint(format!(
            "where the folder was renamed, write name = \"{other}\" into a pack.toml in it; another name says that it is another \
             pack, or --no-adopt"
        )))
    }

    pub(super) fn read_ledgers(&mut self, rows: &[Row]) -> Result<(), Error> {
        let adoption = adopt::decide(&self.pack, &self.known, &adopt::read(rows), &self.wish());
        if !self.locked {
            self.glance(&adoption);
            return Ok(());
        }
        match adoption? {
            Adoption::Nothing => self.plan(),
            Adoption::Never => {
                self.queue.extend([Task::Register, Task::AdoptNone, Task::Ledgers]);
                Ok(())
            }
            Adoption::Begin(name) => {
                self.queue.extend([Task::Register, Task::BeginLedger(name), Task::Ledgers]);
                Ok(())
            }
            Adoption::Adopt(ledger, versions) => self.adopt(ledger, versions),
        }
    }

    /// Without the lock: whatever is not plainly nothing is looked at again under it.
    fn glance(&mut self, adoption: &Result<Adoption, Error>) {
        let settled = matches!(adoption, Ok(Adoption::Nothing)) && !self.unsettled;
        let nothing =
            self.moves(&self.known.clone()).is_ok_and(|moves| moves.is_empty()) && self.gates(0).is_empty();
        if !(settled && nothing) {
            self.queue.push_back(Task::Lock);
        }
    }

    /// Refuses what would be refused behind the adoption before anything is written.
    fn adopt(&mut self, ledger: Ledger, versions: Vec<i64>) -> Result<(), Error> {
        let mut known = self.known.clone();
        known.retain(|k| !versions.contains(&k.version));
        let migrations = self.pack.migrations.iter().filter(|m| versions.contains(&m.version));
        known.extend(migrations.map(Known::adopted));
        let way = self.way(&known)?;
        plan::plan(&self.pack, &self.values, &known, way)?;
        let event = Event::Adopted { versions: versions.len(), table: ledger.name() };
        self.queue.extend([Task::Register, Task::Adopt(ledger, versions), Task::Tell(event)]);
        self.queue.extend(reading(&self.pack, &self.request));
        Ok(())
    }

    fn plan(&mut self) -> Result<(), Error> {
        self.moves = self.moves(&self.known.clone())?;
        self.count();
        match self.moves.is_empty() && self.gates(0).is_empty() {
            true => {
                // Ours is the lock: a run that is called running has died.
                self.queue.extend(self.unsettled.then_some(Task::Settle));
                self.queue.push_back(Task::Unlock);
            }
            false => self.queue.extend([Task::Register, Task::Claim]),
        }
        Ok(())
    }

    fn moves(&mut self, known: &[Known]) -> Result<Vec<Move>, Error> {
        let way = self.way(known)?;
        self.request.direction = way.0;
        plan::fresh(&self.pack, (&self.values, &self.stored), known, way)
    }

    fn way(&self, known: &[Known]) -> Result<(plan::Direction, Target), Error> {
        match self.request.target {
            Target::Goto(version) => plan::toward(&self.pack, known, version),
            Target::Count(asked) => Ok((self.request.direction, Target::Count(self.remaining(asked)))),
            target => Ok((self.request.direction, target)),
        }
    }
}
