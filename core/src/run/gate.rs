//! Gates: what must hold before a phase starts, a phase without migrations too. What the items are and how each stands is
//! told by the database (`strata.checklist`); what it cannot know, whether the verifications pass now, is looked at first.

use super::tasks::Task;
use super::{Event, Run};
use crate::error::{DbError, Error, Kind};
use crate::pack::{Need, Phase};
use crate::plan::{self, Direction};
use crate::statement::{Row, column};
use crate::verify;

impl Run {
    /// The phases whose gate must be asked before move `m`, or before the end.
    pub(super) fn gates(&self, m: usize) -> Vec<i64> {
        if self.request.direction == Direction::Down {
            return Vec::new();
        }
        let entered = m.checked_sub(1).map(|before| self.moves[before].phase);
        let own = self.moves.get(m).map(|moved| moved.phase).filter(|phase| Some(*phase) != entered);
        let reach = own.map_or_else(|| self.reach(m), |phase| phase - 1);
        let mut gates = plan::unpassed(&self.pack, &self.passed, reach);
        gates.extend(own.filter(|own| self.pack.phase(*own).is_some_and(Phase::is_gated)));
        gates.retain(|phase| !self.open.contains(phase));
        gates
    }

    /// The last phase that is reached when the moves before `m` are done.
    fn reach(&self, m: usize) -> i64 {
        match self.moves.get(m) {
            Some(_) => i64::MIN,
            None => plan::reach(self.request.target),
        }
    }

    /// Queues what asks the gate of a phase.
    pub(super) fn ask_gate(&mut self, phase: i64) -> Result<(), Error> {
        let needs = self.pack.phase(phase).map(|p| p.needs.clone()).unwrap_or_default();
        if needs.contains(&Need::Verified) {
            for version in self.applied() {
                let query = plan::verification(&self.pack, &self.values, version)?;
                self.queue.extend(query.into_iter().flat_map(|(file, query)| {
                    [Task::ReadOnly, Task::Unlimited, Task::Check(version, file, query), Task::Rollback]
                }));
            }
        }
        self.queue.push_back(Task::Gate(phase));
        Ok(())
    }

    /// Versions that are applied by now.
    fn applied(&self) -> Vec<i64> {
        let before = self.known.iter().filter(|k| k.state == "applied").map(|k| k.version);
        before.chain(self.report.moved.iter().map(|(version, _)| *version)).collect()
    }

    /// A verification was made again: its outcome is kept behind its transaction.
    pub(super) fn checked(&mut self, version: i64, file: &str, rows: Result<&[Row], &DbError>) {
        let outcome = match rows {
            Ok(rows) => verify::checks(file, rows).and_then(|checks| verify::judge(file, &checks)),
            Err(cause) => Err(Error::failed(file, cause.clone())),
        };
        let undo = self.queue.iter().position(|task| *task == Task::Rollback).map_or(0, |at| at + 1);
        self.queue.insert(undo, Task::Checked(version, outcome.err()));
    }

    /// The items of a gate: (item, kind, state, detail). Open ones keep it shut.
    pub(super) fn gate(&mut self, number: i64, rows: &[Row]) -> Result<(), Error> {
        let phase = self.pack.phase(number).cloned().unwrap_or_default();
        let open: Vec<&Row> = rows.iter().filter(|row| column(row, 2) == "open").collect();
        if let Some(first) = open.first() {
            let told: Vec<&str> = open.iter().map(|row| column(row, 3)).collect();
            let message =
                format!("the gate of phase {number} ({}) is not met: {}", phase.name, told.join("; "));
            let hint = next_command((column(first, 0), column(first, 1)), &self.pack.manifest.name);
            return Err(Error::new(Kind::GateNotMet, message).hint(hint));
        }
        self.open.push(number);
        if phase.migrations.is_empty() {
            self.report.passed.push(number);
            let event = Event::Gate { phase: format!("{number} {}", phase.name) };
            // Before the move that has been waiting for the gate.
            self.queue.push_front(Task::Tell(event));
            self.queue.push_front(Task::Pass(number));
        }
        Ok(())
    }
}

/// What to do about an item that keeps a gate shut.
pub fn next_command((item, kind): (&str, &str), pack: &str) -> String {
    let way = match kind {
        "gate" => "run \"strata embed\"".to_owned(),
        "verification" => "\"strata verify\" tells it whole".to_owned(),
        "backup" => {
            format!(
                "run \"strata sign-off {item} --pack {pack} --reason ... --evidence '{{\"dump\": ...}}'\""
            )
        }
        _ => format!("run \"strata sign-off {item} --pack {pack} --reason ...\""),
    };
    format!("{way}, then \"strata up\" again; \"strata checklist\" shows all that is open")
}
