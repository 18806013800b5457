//! `up` and `down`.

use crate::args::{Args, Down, Patience, Up};
use crate::drive::{Sessions, drive};
use crate::output::Output;
use crate::session::Session;
use crate::{folder, install};
use serde_json::json;
use std::time::{Duration, Instant};
use strata_core::Error;
use strata_core::pack::Pack;
use strata_core::plan::{Direction, Target};
use strata_core::run::{Event, Report, Request, Run};

/// `strata up [N]`
pub async fn up(args: &Args, up: &Up, output: &Output) -> Result<u8, Error> {
    let target = match (up.count, up.to_phase) {
        (Some(count), _) => Target::Count(count as usize),
        (None, Some(phase)) => Target::Phase(phase),
        (None, None) => Target::All,
    };
    run(args, output, (Direction::Up, target), &up.patience).await
}

/// `strata down [N]`
pub async fn down(args: &Args, down: &Down, output: &Output) -> Result<u8, Error> {
    let target = if down.all { Target::All } else { Target::Count(down.count as usize) };
    run(args, output, (Direction::Down, target), &down.patience).await
}

async fn run(
    args: &Args,
    output: &Output,
    way: (Direction, Target),
    patience: &Patience,
) -> Result<u8, Error> {
    let pack = folder::read(args)?;
    check_phase(&pack, way.1)?;
    let session = Session::open(args).await?;
    output.log(&format!("pack {} on {}", pack.manifest.name, session.address()));
    install::ensure(&session, &pack, way, output).await?;
    let mut request = Request::new(way.0, way.1);
    request.lock_patience = Duration::from_secs(patience.lock_timeout);
    request.lock_timeout_ms = patience.table_lock_timeout;
    request.table_lock_patience = Duration::from_secs(patience.table_lock_patience);
    request.index_wait = Duration::from_secs(patience.index_wait);
    request.seed = uuid::Uuid::new_v4().as_u64_pair().0;
    let name = pack.manifest.name.clone();
    let mut teller = Teller { output, since: Instant::now() };
    let sessions = Sessions { work: &session, args };
    let report = drive(sessions, &mut Run::new(pack, request), &mut |event| teller.tell(event)).await?;
    print(output, &name, way.0, &report);
    Ok(0)
}

fn check_phase(pack: &Pack, target: Target) -> Result<(), Error> {
    match target {
        Target::Phase(number) if pack.phase(number).is_none() => {
            let phases: Vec<String> = pack.manifest.phases.iter().map(|p| p.number.to_string()).collect();
            let message = format!("pack {} has no phase {number}", pack.manifest.name);
            Err(Error::new(strata_core::Kind::BadArgument, message)
                .hint(format!("its phases are {}", phases.join(", "))))
        }
        _ => Ok(()),
    }
}

fn print(output: &Output, pack: &str, direction: Direction, report: &Report) {
    let moved: Vec<_> = report.moved.iter().map(|(v, name)| json!({"version": v, "name": name})).collect();
    let json = json!({
        "pack": pack, "direction": direction.name(), "run": report.run, "moved": moved, "passed": report.passed,
    });
    let done = if direction == Direction::Up { "applied" } else { "taken back" };
    let text = match report.moved.len() {
        0 if !report.passed.is_empty() => format!("phase {} passed", numbers(&report.passed)),
        0 => "no change".to_owned(),
        1 => format!("1 version {done}"),
        n => format!("{n} versions {done}"),
    };
    output.result(json, &text);
}

fn numbers(phases: &[i64]) -> String {
    phases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Tells what happens as golang-migrate does: `7/u name (12ms)`.
struct Teller<'o> {
    output: &'o Output,
    since: Instant,
}

impl Teller<'_> {
    fn tell(&mut self, event: Event) {
        match event {
            Event::Waiting { holder } => {
                self.output.log(&format!("waiting: the pack is being moved by {holder}"))
            }
            Event::Migration { phase, .. } => {
                self.since = Instant::now();
                self.output.phase(&phase);
            }
            Event::Step { number, of, summary } if of > 1 => {
                self.output.log(&format!("  step {number} of {of}: {summary}"));
            }
            Event::Step { .. } => {}
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
                self.output
                    .log(&format!("{version}/{letter} {name} ({} ms)", self.since.elapsed().as_millis()));
            }
        }
    }
}
