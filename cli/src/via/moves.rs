//! `up`, `down` and `goto` through the function: what they mean in versions, and what has moved in the end.

use super::function::Function;
use super::{refuse_patience, show, watch};
use crate::args::{Args, Down, Goto, Up};
use crate::output::Output;
use crate::{confirm, dry_run, folder, migrate};
use serde_json::{Map, Value, json};
use strata_core::Error;
use strata_core::plan::Direction;
use strata_core::run::Report;

/// What a run is asked for.
#[derive(Default)]
struct Move {
    target: Option<i64>,
    to_phase: Option<i64>,
    /// Of the versions that were asked for by number, how many there are not.
    short: usize,
    dry: bool,
}

/// `strata up [N]`
pub async fn up(function: &Function, args: &Args, up: &Up, output: &Output) -> Result<u8, Error> {
    refuse_patience(&up.patience, &up.trial)?;
    let before = Standing::read(function, args).await?;
    let mut wanted = Move { to_phase: up.to_phase, dry: up.trial.dry_run, ..Move::default() };
    if let Some(count) = up.count {
        let pending = before.versions(|state| state != "applied");
        wanted.short = (count as usize).saturating_sub(pending.len());
        wanted.target = pending.get((count as usize).min(pending.len()).wrapping_sub(1)).copied();
    }
    before.go(function, (args, output), Direction::Up, wanted).await
}

/// `strata down [N]`
pub async fn down(function: &Function, args: &Args, down: &Down, output: &Output) -> Result<u8, Error> {
    refuse_patience(&down.patience, &down.trial)?;
    if down.all && !down.yes && !down.trial.dry_run {
        confirm::ask(&confirm::DOWN, output)?;
    }
    let before = Standing::read(function, args).await?;
    let applied = before.versions(|state| state != "pending");
    let count = if down.all { applied.len() } else { down.count as usize };
    let left = applied.len().saturating_sub(count);
    let target = left.checked_sub(1).map_or(0, |newest| applied[newest]);
    let short = if applied.is_empty() { 0 } else { count.saturating_sub(applied.len()) };
    let wanted = Move { target: Some(target), short, dry: down.trial.dry_run, ..Move::default() };
    before.go(function, (args, output), Direction::Down, wanted).await
}

/// `strata goto V`
pub async fn goto(function: &Function, args: &Args, goto: &Goto, output: &Output) -> Result<u8, Error> {
    refuse_patience(&goto.patience, &goto.trial)?;
    let before = Standing::read(function, args).await?;
    let newest = before.versions(|state| state != "pending").last().copied().unwrap_or(0);
    let direction = if goto.version < newest { Direction::Down } else { Direction::Up };
    let wanted = Move { target: Some(goto.version), dry: goto.trial.dry_run, ..Move::default() };
    before.go(function, (args, output), direction, wanted).await
}

/// Where a pack stood before.
struct Standing {
    pack: String,
    page: Value,
}

impl Standing {
    async fn read(function: &Function, args: &Args) -> Result<Standing, Error> {
        let pack = folder::name(args)?;
        let page = show::page(function, &pack).await?;
        Ok(Standing { pack, page })
    }

    /// The versions in such a state, the oldest first.
    fn versions(&self, is: impl Fn(&str) -> bool) -> Vec<i64> {
        states(&self.page)
            .into_iter()
            .filter(|(_, _, state)| is(state))
            .map(|(version, ..)| version)
            .collect()
    }

    async fn go(
        self,
        function: &Function,
        (args, output): (&Args, &Output),
        direction: Direction,
        wanted: Move,
    ) -> Result<u8, Error> {
        output.log(&format!("pack {} by {}", self.pack, function.address()));
        let variables: Map<String, Value> =
            args.set.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let asked = json!({
            "pack": self.pack, "target": wanted.target, "to_phase": wanted.to_phase, "variables": variables,
            "dry_run": wanted.dry,
        });
        let started = function.post_once("migrate", &asked).await?;
        let run = started["run"].as_str().unwrap_or_default().to_owned();
        if wanted.dry {
            return self.found(function, &run, output).await;
        }
        watch::follow(function, &run, output).await?;
        let after = show::page(function, &self.pack).await?;
        let report = self.report(&after, direction, (run, wanted.short));
        Ok(migrate::print(output, &self.pack, direction, &report))
    }

    /// What a dry run has found, also where it would fail.
    async fn found(&self, function: &Function, run: &str, output: &Output) -> Result<u8, Error> {
        let outcome = watch::follow(function, run, output).await;
        let mut said = function.get(&format!("runs/{run}/report")).await?;
        match (said["report"].take(), outcome) {
            (Value::Null, Err(error)) => Err(error),
            (found, outcome) => Ok(dry_run::report::print(output, &self.pack, found, outcome.err().as_ref())),
        }
    }

    /// What has moved since.
    fn report(&self, after: &Value, direction: Direction, (run, short): (String, usize)) -> Report {
        let before = states(&self.page);
        let there = if direction == Direction::Up { "applied" } else { "pending" };
        let was =
            |version: i64| before.iter().find(|(v, ..)| *v == version).map(|(.., state)| state.as_str());
        let mut moved: Vec<(i64, String)> = states(after)
            .into_iter()
            .filter(|(version, _, state)| state == there && was(*version) != Some(there))
            .map(|(version, name, _)| (version, name))
            .collect();
        if direction == Direction::Down {
            moved.reverse();
        }
        let (known, now) = (passed(&self.page), passed(after));
        let passed = now.into_iter().filter(|phase| !known.contains(phase)).collect();
        Report { run: Some(run), moved, passed, short, ..Report::default() }
    }
}

/// Versions with their names and states, the oldest first.
fn states(page: &Value) -> Vec<(i64, String, String)> {
    let one = |version: &Value| {
        let text = |name: &str| version[name].as_str().unwrap_or_default().to_owned();
        (version["version"].as_i64().unwrap_or_default(), text("name"), text("state"))
    };
    page["versions"].as_array().map(|all| all.iter().map(one).collect()).unwrap_or_default()
}

/// Phases without migrations that are passed.
fn passed(page: &Value) -> Vec<i64> {
    let all = page["phases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let done = all.iter().filter(|phase| phase["versions"] == 0 && phase["gate"] == "passed");
    done.filter_map(|phase| phase["phase"].as_i64()).collect()
}
