//! `up`, `down` and `goto`.

use crate::args::{Args, Down, Goto, Patience, Trial, Up};
use crate::confirm;
use crate::connect;
use crate::drive::{OnStop, Sessions, drive};
use crate::output::Output;
use crate::session::Session;
use crate::teller::Teller;
use crate::{dry_run, folder, ground, install};
use serde_json::json;
use std::time::{Duration, Instant};
use strata_core::pack::Pack;
use strata_core::plan::{Direction, Target};
use strata_core::run::{Limits, Report, Request, Run};
use strata_core::{Error, Kind};

/// `strata up [N]`
pub async fn up(args: &Args, up: &Up, output: &Output) -> Result<u8, Error> {
    let target = match (up.count, up.to_phase) {
        (Some(count), _) => Target::Count(count as usize),
        (None, Some(phase)) => Target::Phase(phase),
        (None, None) => Target::All,
    };
    run(args, output, (Direction::Up, target), (&up.patience, &up.trial)).await
}

/// `strata down [N]`
pub async fn down(args: &Args, down: &Down, output: &Output) -> Result<u8, Error> {
    let target = if down.all { Target::All } else { Target::Count(down.count as usize) };
    if down.all && !down.yes && !down.trial.dry_run {
        confirm::ask(&confirm::DOWN, output)?;
    }
    run(args, output, (Direction::Down, target), (&down.patience, &down.trial)).await
}

/// `strata goto V`
pub async fn goto(args: &Args, goto: &Goto, output: &Output) -> Result<u8, Error> {
    run(args, output, (Direction::Up, Target::Goto(goto.version)), (&goto.patience, &goto.trial)).await
}

async fn run(
    args: &Args,
    output: &Output,
    way: (Direction, Target),
    (patience, trial): (&Patience, &Trial),
) -> Result<u8, Error> {
    let pack = folder::read(args)?;
    check_phase(&pack, way.1)?;
    let session = Session::open(args).await?;
    if pack.prepares() {
        session.leave_names();
    }
    output.log(&format!("pack {} on {}", pack.manifest.name, session.address()));
    let second = ground::check(&session, args).await?;
    let request = request(args, way, patience)?;
    if trial.dry_run {
        let limits = Limits {
            give_way_ms: trial.give_way,
            hold_ms: trial.dry_run_limit.saturating_mul(1000),
            statement_ms: 0,
        };
        let missing = install::missing(&session, &pack, way).await?.is_some();
        return dry_run::run(
            &session,
            second,
            dry_run::Asked { pack, request, limits, missing },
            (args, output),
        )
        .await;
    }
    install::ensure(&session, &pack, way, output).await?;
    let name = pack.manifest.name.clone();
    let mut teller = Teller::of_run(output);
    let mut run = Run::new(pack, request);
    let sessions = Sessions { work: &session, second, args };
    let began = Instant::now();
    let mut tell = |event| teller.tell(event);
    let report = drive(sessions, &mut run, OnStop::Cancel, &mut tell).await?;
    let code = print(output, &name, run.direction(), &report);
    output.detail(&format!("Finished after {:?}", began.elapsed()));
    Ok(code)
}

fn request(args: &Args, way: (Direction, Target), patience: &Patience) -> Result<Request, Error> {
    let mut request = Request::new(way.0, way.1);
    request.lock_patience = Duration::from_secs(args.lock_timeout);
    request.wish = args.wish(connect::migrations_table(args.database.as_deref())?);
    request.lock_timeout_ms = patience.table_lock_timeout;
    request.table_lock_patience = Duration::from_secs(patience.table_lock_patience);
    request.index_wait = Duration::from_secs(patience.index_wait);
    request.seed = uuid::Uuid::new_v4().as_u64_pair().0;
    Ok(request)
}

fn check_phase(pack: &Pack, target: Target) -> Result<(), Error> {
    match target {
        Target::Phase(number) if pack.phase(number).is_none() => {
            let phases: Vec<String> = pack.manifest.phases.iter().map(|p| p.number.to_string()).collect();
            let message = format!("pack {} has no phase {number}", pack.manifest.name);
            Err(Error::new(Kind::BadArgument, message).hint(format!("its phases are {}", phases.join(", "))))
        }
        _ => Ok(()),
    }
}

/// What has moved. Returns the exit code.
pub fn print(output: &Output, pack: &str, direction: Direction, report: &Report) -> u8 {
    let objects = |versions: &[(i64, String)]| -> Vec<_> {
        versions.iter().map(|(v, name)| json!({"version": v, "name": name})).collect()
    };
    let json = json!({
        "pack": pack, "direction": direction.name(), "run": report.run, "moved": objects(&report.moved),
        "before": objects(&report.before), "passed": report.passed,
    });
    let done = if direction == Direction::Up { "applied" } else { "taken back" };
    let text = match report.moved.len() {
        0 if !report.passed.is_empty() => format!("phase {} passed", numbers(&report.passed)),
        0 if !report.before.is_empty() => {
            format!("nothing more {done}: {} {done} before", report.before.len())
        }
        0 => "no change".to_owned(),
        1 => format!("1 version {done}"),
        n => format!("{n} versions {done}"),
    };
    // golang-migrate's rule: fewer than were asked for is an error, none at all is "no change".
    if report.short > 0 && !report.moved.is_empty() {
        let error = Error::new(Kind::Failed, format!("limit {} short", report.short));
        return output.bad_result(json, &text, &error);
    }
    output.result(json, &text);
    0
}

fn numbers(phases: &[i64]) -> String {
    phases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
