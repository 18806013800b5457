//! As whom a pack is executed for a caller that it was delegated to (`strata.delegate_pack`).

use crate::store::here;
use pgrx::pg_sys;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// The role that executes.
pub struct Delegate {
    /// In the catalog.
    pub oid: pg_sys::Oid,
    /// Its name.
    pub role: String,
    /// What a session of it begins with.
    pub search_path: String,
}

/// The role that executes a pack in place of the caller; none: the caller does. Refuses files that somebody else has
/// pushed since the pack was delegated: what they say was never agreed to.
pub fn of(pack: &str, caller: &str) -> Result<Option<Delegate>, Error> {
    let query = include_str!("../../sql/query/runs_as.sql");
    let rows = here(&Statement::ours(query, vec![pack.into(), caller.into()]))
        .map_err(|cause| Error::failed(&format!("pack {pack}: reading who executes it"), cause))?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut cells = row.into_iter();
    let mut cell = || cells.next().flatten();
    let (oid, role, search_path) =
        (cell().unwrap_or_default(), cell().unwrap_or_default(), cell().unwrap_or_default());
    if let Some(other) = cell() {
        let message =
            format!("{other} has pushed files of pack \"{pack}\" since {role} delegated it to {caller}");
        return Err(Error::new(Kind::Changed, message).hint(format!(
            "look at the files, then as {role}: select strata.delegate_pack('{pack}', '{caller}')"
        )));
    }
    let oid = oid.parse::<u32>().map_err(|_| Error::new(Kind::BadData, format!("\"{oid}\" is no role")))?;
    Ok(Some(Delegate { oid: oid.into(), role, search_path }))
}
