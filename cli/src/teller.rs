//! The events of a run as lines of the log.

use crate::output::Output;
use std::time::Instant;
use strata_core::plan::Direction;
use strata_core::run::Event;

/// Tells what happens as golang-migrate does: `7/u name (12ms)`.
pub struct Teller<'o> {
    output: &'o Output,
    since: Instant,
    /// What a version is said to have been when nothing of it stays.
    tried: &'static str,
}

impl<'o> Teller<'o> {
    /// Of what stays.
    pub fn of_run(output: &'o Output) -> Self {
        Teller { output, since: Instant::now(), tried: "" }
    }

    /// Of what is undone.
    pub fn of_trial(output: &'o Output) -> Self {
        Teller { output, since: Instant::now(), tried: "tried " }
    }

    /// Shows an event.
    pub fn tell(&mut self, event: Event) {
        match event {
            Event::Waiting { holder } => {
                self.output.log(&format!("waiting: the pack is being moved by {holder}"))
            }
            Event::Adopted { .. } => self.output.log(&format!("{}{}", self.tried, event.text())),
            Event::Carried { .. } => self.output.log(&event.text()),
            Event::Migration { phase, .. } => {
                self.since = Instant::now();
                self.output.phase(&phase);
            }
            Event::Step { number, of, summary } if of > 1 => {
                self.output.log(&format!("  step {number} of {of}: {summary}"));
            }
            Event::Step { summary, .. } => self.output.detail(&format!("  {summary}")),
            Event::Retry { .. } | Event::Blocked { .. } | Event::Progress { .. } => {
                self.output.log(&format!("  {}", event.text()));
            }
            Event::Repair { index } => {
                self.output.log(&format!(
                    "  index {index} is left over from a broken build; it is dropped and built again"
                ));
            }
            Event::Notice { text } => self.output.log(&format!("  {text}")),
            Event::Stopping { at_once: false } => {
                self.output.log("Stopping after this running migration ... (again: cancel its statement)");
            }
            Event::Stopping { at_once: true } => self.output.log("cancelling the running statement"),
            Event::Gate { phase } => self.output.log(&format!("the gate of phase {phase} is met")),
            Event::Finished { version, name, direction } => {
                let letter = if direction == Direction::Up { 'u' } else { 'd' };
                let (tried, ms) = (self.tried, self.since.elapsed().as_millis());
                self.output.log(&format!("{tried}{version}/{letter} {name} ({ms} ms)"));
            }
        }
    }
}
