//! An error of core as Postgres reports it: SQLSTATE, message, detail, hint.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{self, AsPgCStr};
use pgrx::prelude::*;
use std::ffi::c_char;
use strata_core::{Error, Kind};

#[allow(unsafe_code)]
unsafe extern "C-unwind" {
    // Their arguments are C's, without a fixed number: pgrx binds none of them.
    fn errstart(level: i32, domain: *const c_char) -> bool;
    fn errcode(code: i32) -> i32;
    fn errmsg_internal(format: *const c_char, ...) -> i32;
    fn errdetail_internal(format: *const c_char, ...) -> i32;
    fn errhint(format: *const c_char, ...) -> i32;
    fn errfinish(file: *const c_char, line: i32, function: *const c_char);
}

/// For `map_err`. A function and not `From`: both types are foreign here. Does not return where the SQLSTATE is one that
/// pgrx has no name for, such as those of class ST: then it raises the error itself.
pub fn report(error: Error) -> ErrorReport {
    let packed = pack(error.sqlstate());
    let named = PgSqlErrorCode::from(packed);
    if named as i32 != packed {
        raise(packed, &error);
    }
    let report = ErrorReport::new(named, error.message().to_owned(), "strata");
    let report = match error.get_detail() {
        Some(detail) => report.set_detail(detail),
        None => report,
    };
    match error.get_hint() {
        Some(hint) => report.set_hint(hint),
        None => report,
    }
}

/// An argument that must not be null. Raises 22004.
pub fn given<T>(argument: Option<T>, name: &str) -> Result<T, ErrorReport> {
    argument.ok_or_else(|| {
        report(Error::new(Kind::BadArgument, format!("{name} must not be null")).with_sqlstate("22004"))
    })
}

/// SPI refused to run a statement of ours: a fault of ours, never of the caller.
pub fn internal(error: spi::Error) -> ErrorReport {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        format!("strata could not run a statement: {error}"),
        "strata",
    )
}

/// Postgres packs a SQLSTATE six bits a character, the first lowest.
fn pack(sqlstate: &str) -> i32 {
    sqlstate
        .bytes()
        .rev()
        .fold(0, |packed: i32, byte| (packed << 6) | i32::from(byte.wrapping_sub(b'0') & 0x3F))
}

/// ERROR as C raises it.
#[allow(unsafe_code)]
fn raise(packed: i32, error: &Error) -> ! {
    // In Postgres' memory: freed with its context, whatever is jumped over.
    let text = |text: &str| text.replace('\0', "").as_pg_cstr();
    let message = text(error.message());
    let detail = error.get_detail().map_or(std::ptr::null_mut(), text);
    let hint = error.get_hint().map_or(std::ptr::null_mut(), text);
    let format = c"%s".as_ptr();
    // SAFETY: the order that Postgres asks for, behind pgrx's guard, with nothing in between that would be dropped.
    unsafe {
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            if errstart(PgLogLevel::ERROR as i32, std::ptr::null()) {
                errcode(packed);
                errmsg_internal(format, message);
                if !detail.is_null() {
                    errdetail_internal(format, detail);
                }
                if !hint.is_null() {
                    errhint(format, hint);
                }
                errfinish(c"strata".as_ptr(), 0, c"report".as_ptr());
            }
        });
    }
    unreachable!("an ERROR does not return")
}
