//! `force`: says where a pack stands, for the day on which somebody has repaired a database by hand.

use crate::args::{Args, Force};
use crate::output::Output;
use crate::session::Session;
use crate::{connect, folder, install};
use serde_json::json;
use strata_core::adopt::{self, Wish};
use strata_core::pack::Pack;
use strata_core::plan::{Direction, Target};
use strata_core::statement::{Statement, Value};
use strata_core::variables;
use strata_core::{Error, Kind};

/// Marks the versions up to the one that is named, in strata's state and in the table of another tool. Nothing runs.
pub async fn run(args: &Args, force: &Force, output: &Output) -> Result<u8, Error> {
    let pack = folder::read(args)?;
    let version = force.version.max(0);
    if version != 0 && pack.migration(version).is_none() {
        let message = format!("pack {} has no version {version}", pack.manifest.name);
        return Err(Error::new(Kind::NotFound, message).hint(has(&pack)));
    }
    let session = Session::open(args).await?;
    install::ensure(&session, &pack, (Direction::Up, Target::All), output).await?;
    let wish = args.wish(connect::migrations_table(args.database.as_deref())?).of(&pack);
    session.run(&Statement::verbatim("begin")).await.map_err(|cause| Error::failed("force", cause))?;
    let moved = within(&session, &pack, &wish, (version, &force.reason)).await;
    let end = if moved.is_ok() { "commit" } else { "rollback" };
    session.run(&Statement::verbatim(end)).await.map_err(|cause| Error::failed("force", cause))?;
    let Forced { moved, accepted } = moved?;
    let name = &pack.manifest.name;
    let at = if version == 0 { "none".to_owned() } else { version.to_string() };
    let json = json!({
        "pack": name, "version": (version != 0).then_some(version), "changed": moved, "accepted": accepted,
    });
    let files = match accepted.len() {
        0 => String::new(),
        _ => format!("; changed files that count as applied now: {}", accepted.join(", ")),
    };
    output.result(json, &format!("pack {name} is at version {at}; {moved} changed, nothing was run{files}"));
    Ok(0)
}

/// Which versions there are, by their ends where they are many.
fn has(pack: &Pack) -> String {
    let versions: Vec<String> = pack.migrations.iter().map(|m| m.version.to_string()).collect();
    match versions.as_slice() {
        [] => "its folder has no files of migrations".to_owned(),
        [first, .., last] if versions.len() > 8 => format!("it has {first} to {last}; 0 is before the first"),
        few => format!("it has {}; 0 is before the first", few.join(", ")),
    }
}

/// What was forced.
struct Forced {
    moved: i64,
    /// Versions that stay applied although their file has changed.
    accepted: Vec<String>,
}

/// In one transaction, under the lock of the pack.
async fn within(
    session: &Session,
    pack: &Pack,
    wish: &Wish,
    (version, reason): (i64, &str),
) -> Result<Forced, Error> {
    let name = || vec![Value::from(pack.manifest.name.as_str())];
    let lock = Statement::ours(include_str!("../../sql/query/lock_for_now.sql"), name());
    if first(session.ask("the lock of the pack", &lock).await?).as_deref() != Some("true") {
        let message =
            format!("timeout: can't acquire database lock: pack {} is being moved", pack.manifest.name);
        return Err(Error::new(Kind::Locked, message).hint("look into strata.run; wait for it to end"));
    }
    let stored = Statement::ours(include_str!("../../sql/query/variables.sql"), name());
    let stored = session.ask("reading the state", &stored).await?;
    let pair = |mut row: Vec<Option<String>>| Some((row.remove(0)?, row.remove(0)?));
    let stored = stored.into_iter().filter_map(pair).collect();
    let values = variables::resolve(&pack.manifest.variables, &pack.given, &stored)?;
    let params = [name(), vec![reason.into(), Value::Json(pack.versions())]].concat();
    let accept = Statement::ours(include_str!("../../sql/query/accept_files.sql"), params);
    let accepted = session.ask("accepting changed files", &accept).await?;
    session.ask("registering the pack", &pack.register(&values)).await?;
    bind(session, pack, wish).await?;
    let params = [name(), vec![version.into(), reason.into()]].concat();
    let force = Statement::ours(include_str!("../../sql/query/force.sql"), params);
    let moved = first(session.ask("forcing the version", &force).await?);
    Ok(Forced {
        moved: moved.and_then(|n| n.parse().ok()).unwrap_or(0),
        accepted: accepted.into_iter().flatten().flatten().collect(),
    })
}

/// The table of another tool, whatever it says: it is about to be told.
async fn bind(session: &Session, pack: &Pack, wish: &Wish) -> Result<(), Error> {
    let rows = session.ask("other migration tools", &adopt::question(pack, wish)).await?;
    let ledgers = adopt::read(&rows);
    let statement = match wish {
        Wish::Never if ledgers.is_empty() => return Ok(()),
        Wish::Never => adopt::never(pack),
        Wish::Find | Wish::Table(_) => match adopt::of_pack(pack, &ledgers, wish)? {
            Some(ledger) => ledger.adopt(pack, &[]),
            None => return Ok(()),
        },
    };
    session.ask("other migration tools", &statement).await.map(drop)
}

fn first(rows: Vec<Vec<Option<String>>>) -> Option<String> {
    rows.into_iter().next()?.into_iter().next()?
}
