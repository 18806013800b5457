//! A run that a worker could turn.

use strata_core::statement::Row;

/// A run that nobody executes.
pub struct Found {
    pub(super) run: String,
    pub(super) pack: String,
    pub(super) request: String,
    pub(super) requested_by: String,
    pub(super) taking: String,
}

impl Found {
    pub(super) fn read(row: Row) -> Option<Found> {
        let mut column = row.into_iter();
        let mut next = || column.next().flatten();
        let (run, pack, request, requested_by, taking) = (next()?, next()?, next()?, next()?, next()?);
        Some(Found { run, pack, request, requested_by, taking })
    }
}
