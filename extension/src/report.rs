//! An error of core as Postgres reports it: SQLSTATE, message, detail, hint.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::Error;

/// For `map_err`. A function and not `From`: both types are foreign here.
pub fn report(error: Error) -> ErrorReport {
    let report = ErrorReport::new(code(error.sqlstate()), error.message().to_owned(), "strata");
    let report = match error.get_detail() {
        Some(detail) => report.set_detail(detail),
        None => report,
    };
    match error.get_hint() {
        Some(hint) => report.set_hint(hint),
        None => report,
    }
}

/// SPI refused to run a statement of ours: a fault of ours, never of the caller.
pub fn internal(error: spi::Error) -> ErrorReport {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        format!("strata could not run a statement: {error}"),
        "strata",
    )
}

/// Postgres packs a SQLSTATE six bits a character, the first lowest. A code that pgrx has no name for becomes XX000.
fn code(sqlstate: &str) -> PgSqlErrorCode {
    let packed =
        sqlstate.bytes().rev().fold(0, |packed: i32, byte| (packed << 6) | i32::from((byte - b'0') & 0x3F));
    PgSqlErrorCode::from(packed)
}
