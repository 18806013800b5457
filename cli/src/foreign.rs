//! What another migration tool says of a pack that strata has not moved yet.

use crate::session::Session;
use strata_core::adopt::{self, Adoption, Wish};
use strata_core::pack::Pack;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// Its newest version, and whether that is dirty; nothing where it is not certain whose it is.
pub async fn version(
    session: &Session,
    pack: &Pack,
    wish: &Wish,
    installed: bool,
) -> Result<(Option<i64>, bool), Error> {
    if *wish == Wish::Never {
        return Ok((None, false));
    }
    match installed {
        true => taken_over(session, pack, wish).await,
        false => plain(session, pack).await,
    }
}

/// The versions that it has applied and that the next run will take over; none where it is not certain whose it is.
pub async fn applied(
    session: &Session,
    pack: &Pack,
    wish: &Wish,
    installed: bool,
) -> Result<Vec<i64>, Error> {
    if installed {
        let rows = session.ask("other migration tools", &adopt::question(pack, wish)).await?;
        return Ok(match adopt::decide(pack, &[], &adopt::read(&rows), wish) {
            Ok(Adoption::Adopt(_, versions)) => versions,
            _ => Vec::new(),
        });
    }
    let (version, dirty) = version(session, pack, wish, installed).await?;
    let behind = |v: &i64| version.is_some_and(|newest| *v < newest || *v == newest && !dirty);
    Ok(pack.migrations.iter().map(|m| m.version).filter(behind).collect())
}

/// As the next run would take it over.
async fn taken_over(session: &Session, pack: &Pack, wish: &Wish) -> Result<(Option<i64>, bool), Error> {
    let ledgers = adopt::read(&session.ask("other migration tools", &adopt::question(pack, wish)).await?);
    match adopt::of_pack(pack, &ledgers, wish) {
        Ok(ledger) => Ok(ledger.map_or((None, false), |l| (l.last(), l.dirty))),
        Err(error) if [Kind::NotConfirmed, Kind::Changed, Kind::NotFound].contains(&error.kind()) => {
            Ok((None, false))
        }
        Err(error) => Err(error),
    }
}

/// Before strata is installed: golang-migrate's table, for a folder of its layout.
async fn plain(session: &Session, pack: &Pack) -> Result<(Option<i64>, bool), Error> {
    let found = Statement::ours(include_str!("../../sql/query/golang_table.sql"), Vec::new());
    let Some(table) =
        session.ask("golang-migrate's table", &found).await?.into_iter().flatten().flatten().next()
    else {
        return Ok((None, false));
    };
    // The name is the server's own, quoted where it needs to be.
    let row = Statement::check(format!("select version, dirty from {table} limit 1"));
    let rows = session.ask("golang-migrate's table", &row).await?;
    let text = |index: usize| rows.first().and_then(|row| row.get(index)?.as_deref());
    let version = text(0).and_then(|v| v.parse().ok());
    let ours = !pack.described && version.is_some_and(|v| pack.migration(v).is_some());
    Ok(if ours { (version, text(1) == Some("t")) } else { (None, false) })
}
