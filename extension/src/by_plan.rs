//! `strata.by_plan`, `strata.places_by_plan`: what `execute` does, with a plan that the session keeps. The statements that the queue
//! sends to tables of an application are put together from names: to parse and plan them anew for every hundred jobs takes as
//! long as to run them.

#![allow(unsafe_code)]

use crate::prepared;
use crate::vector::RawDatum;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, Datum, FunctionCallInfo};
use pgrx::prelude::*;

const VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

/// What PostgreSQL asks of a library that has the function.
#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_strata_by_plan() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

/// The same.
#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_strata_places_by_plan() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

/// `strata.by_plan()`, see `sql/create/by_plan.sql`. Raises what the statement raises.
///
/// # Safety
/// Called by PostgreSQL.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn strata_by_plan(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: the call is PostgreSQL's.
    let (statement, given) = unsafe { arguments(fcinfo, 0) };
    match prepared::change(&statement, &given) {
        Ok(rows) => Datum::from(rows.cast_signed()),
        Err(error) => error!("{error}"),
    }
}

/// `strata.places_by_plan()`, see `sql/create/by_plan.sql`. Raises what the statement raises.
///
/// # Safety
/// Called by PostgreSQL.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn strata_places_by_plan(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: the call is PostgreSQL's.
    let (statement, given) = unsafe { arguments(fcinfo, 0) };
    match prepared::array(&statement, &given) {
        Ok(Some(places)) => places,
        // SAFETY: as above.
        Ok(None) => unsafe { pgrx::pg_return_null(fcinfo) },
        Err(error) => error!("{error}"),
    }
}

/// Raises 22004.
pub fn refuse_null(argument: &str) -> ! {
    ereport!(ERROR, PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("{argument} must not be null"));
}

/// The statement, which is argument `at`, and what follows it.
///
/// # Safety
/// A call of PostgreSQL's, with a text there.
pub unsafe fn arguments<'a>(fcinfo: FunctionCallInfo, at: usize) -> (String, Vec<DatumWithOid<'a>>) {
    // SAFETY: as many arguments as the call says, of the types that it says.
    unsafe {
        let Some(statement) = pgrx::pg_getarg::<String>(fcinfo, at) else { refuse_null("statement") };
        let count = usize::try_from((*fcinfo).nargs).unwrap_or(0);
        let one = |n: usize| {
            let oid = pgrx::pg_getarg_type(fcinfo, n);
            match pgrx::pg_getarg_datum(fcinfo, n) {
                Some(datum) => DatumWithOid::new(RawDatum(datum), oid),
                None => DatumWithOid::null_oid(oid),
            }
        };
        (statement, (at + 1..count).map(one).collect())
    }
}
