//! Packs that were pushed, and what the database knows of them. The statements are core's; who runs them, and as whom, is
//! the caller's.

use crate::executor::{as_owner, ask};
use strata_core::error::DbError;
use strata_core::pack::Pack;
use strata_core::plan::{self, Direction, Known, Move, Target};
use strata_core::statement::{Reply, Row, Statement};
use strata_core::variables::{self, Values};
use strata_core::{Error, Kind, upload};

/// Runs a statement of ours.
pub type Ask<'a> = &'a dyn Fn(&Statement) -> Reply;

/// In the caller's transaction, as the owner of strata's tables.
pub fn here(statement: &Statement) -> Reply {
    as_owner(|| ask(statement)).map_err(|cause| DbError {
        sqlstate: "XX000".into(),
        message: format!("strata could not run a statement: {cause}"),
        ..Default::default()
    })
}

/// Asks with one parameter, the name of a pack.
fn about(ask: Ask<'_>, sql: &'static str, pack: &str) -> Result<Vec<Row>, Error> {
    ask(&Statement::ours(sql, vec![pack.into()]))
        .map_err(|cause| Error::failed(&format!("pack {pack}: reading the state"), cause))
}

/// A pack that was pushed.
pub fn pack(ask: Ask<'_>, name: &str) -> Result<Pack, Error> {
    let rows = about(ask, include_str!("../../sql/query/pack_files.sql"), name)?;
    if rows.is_empty() {
        let message = format!("pack \"{name}\" has no files in this database");
        return Err(Error::new(Kind::UnknownPack, message)
            .hint(format!("run \"strata push --pack {name}\"; strata.pack_file has what was pushed")));
    }
    upload::restore(name, rows.into_iter().filter_map(pair).collect())
}

/// What the database knows of a pack: its versions, and the values it was run with.
pub fn state(ask: Ask<'_>, pack: &str) -> Result<(Vec<Known>, Values), Error> {
    let known = about(ask, include_str!("../../sql/query/migrations.sql"), pack)?;
    let stored = about(ask, include_str!("../../sql/query/variables.sql"), pack)?;
    Ok((known.iter().map(Known::read).collect(), stored.into_iter().filter_map(pair).collect()))
}

/// What a run would do now, refused as it would be.
pub fn moves(
    pack: &Pack,
    (known, stored): &(Vec<Known>, Values),
    way: (Direction, Target),
) -> Result<Vec<Move>, Error> {
    let values = variables::resolve(&pack.manifest.variables, &pack.given, stored)?;
    plan::fresh(pack, (&values, stored), known, way)
}

/// Whether a run would have nothing to do: no version to move, no gate to pass.
pub fn is_done(
    ask: Ask<'_>,
    pack: &Pack,
    state: &(Vec<Known>, Values),
    way: (Direction, Target),
) -> Result<bool, Error> {
    if !moves(pack, state, way)?.is_empty() {
        return Ok(false);
    }
    let rows = about(ask, include_str!("../../sql/query/phases_passed.sql"), &pack.manifest.name)?;
    let passed: Vec<i64> = rows.iter().filter_map(|row| row.first()?.as_deref()?.parse().ok()).collect();
    Ok(way.0 == Direction::Down || plan::unpassed(pack, &passed, plan::reach(way.1)).is_empty())
}

fn pair(row: Row) -> Option<(String, String)> {
    let mut columns = row.into_iter().flatten();
    Some((columns.next()?, columns.next()?))
}
