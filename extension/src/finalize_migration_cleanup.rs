//! `finalize_migration_cleanup`: verifies everything, and removes what the contract of a pack kept, if that is signed.

use crate::push_pack::lock;
use crate::report::report;
use crate::store::here;
use crate::verify_migration_integrity::checks;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::statement::{Row, Statement};
use strata_core::{Error, Kind, verify};

/// Returns how many copies were removed. Raises 42704, 55P03, ST004 (something does not verify), ST009 (not signed).
#[pg_extern(volatile, strict, parallel_unsafe)]
fn finalize_migration_cleanup(pack: &str) -> Result<i32, ErrorReport> {
    let checks = checks(Some(pack))?;
    verify::judge(&format!("pack {pack}"), &checks).map_err(report)?;
    remove(pack).map_err(report)
}

fn remove(pack: &str) -> Result<i32, Error> {
    lock(pack)?;
    signed(pack)?;
    let rows = ask(include_str!("../../sql/query/drop_kept.sql"), pack)?;
    let removed = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
    Ok(removed.unwrap_or(0))
}

fn signed(pack: &str) -> Result<(), Error> {
    let rows = ask(include_str!("../../sql/query/finalize_signed.sql"), pack)?;
    let cell = |index: usize| rows.first().and_then(|row| row.get(index)?.as_deref());
    if cell(0) == Some("signed") {
        return Ok(());
    }
    let why = cell(1).unwrap_or("it has no contract phase, so nothing is kept");
    Err(Error::new(Kind::GateNotMet, format!("the clean-up of pack {pack} is not signed: {why}"))
        .hint(format!("run \"strata sign-off finalize --pack {pack} --reason ...\"")))
}

fn ask(sql: &'static str, pack: &str) -> Result<Vec<Row>, Error> {
    here(&Statement::ours(sql, vec![pack.into()])).map_err(|cause| Error::failed("cleaning up", cause))
}
