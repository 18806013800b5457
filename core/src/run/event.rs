//! Events as text, for a door that keeps them.

use super::Event;

impl Event {
    /// One word.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Waiting { .. } => "waiting",
            Event::Adopted { .. } => "adopted",
            Event::Carried { .. } => "carried",
            Event::Migration { .. } => "migration",
            Event::Step { .. } => "step",
            Event::Retry { .. } => "retry",
            Event::Blocked { .. } => "blocked",
            Event::Progress { .. } => "progress",
            Event::Repair { .. } => "repair",
            Event::Notice { .. } => "notice",
            Event::Stopping { .. } => "stopping",
            Event::Gate { .. } => "gate",
            Event::Finished { .. } => "finished",
        }
    }

    /// One line.
    pub fn text(&self) -> String {
        match self {
            Event::Waiting { holder } => format!("the pack is being moved by {holder}"),
            Event::Adopted { versions: 0, table } => format!("{table} is kept in step"),
            Event::Adopted { versions: 1, table } => format!("adopted 1 version of {table}"),
            Event::Adopted { versions, table } => format!("adopted {versions} versions of {table}"),
            Event::Carried { direction, moved, of } => super::counted::told(*direction, moved, *of),
            Event::Migration { version, name, direction, phase } => {
                format!("{version} {name} {}, phase {phase}", direction.name())
            }
            Event::Step { number, of, summary } => format!("step {number} of {of}: {summary}"),
            Event::Retry { attempt, holders } => {
                let who = some_of(holders);
                let who = if who.is_empty() { who } else { format!(", {who}") };
                format!("a lock was not to be had; try {attempt} follows{who}")
            }
            Event::Blocked { holders } => format!("waiting for {}", some_of(holders)),
            Event::Progress { text } => text.clone(),
            Event::Repair { index } => format!("index {index} is left over from a broken build"),
            Event::Notice { text } => text.clone(),
            Event::Stopping { at_once: false } => "stopping after this version".to_owned(),
            Event::Stopping { at_once: true } => "stopping now".to_owned(),
            Event::Gate { phase } => format!("the gate of phase {phase} is met"),
            Event::Finished { version, name, direction } => {
                format!("{version} {name} {}", direction.name())
            }
        }
    }
}

/// The first few of many, in one line.
pub(super) fn some_of(holders: &[String]) -> String {
    const FEW: usize = 3;
    let few = holders.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join("; ");
    match holders.len() {
        0..=FEW => few,
        all => format!("{few}; and {} more", all - FEW),
    }
}
