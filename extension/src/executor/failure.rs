//! The whole of an ERROR as a value. pgrx keeps neither CONTEXT nor a SQLSTATE that it has no name for when an ERROR
//! crosses a Rust frame; an error context callback that was there first runs last and sees the finished report.

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgLogLevel, PgTryBuilder, pg_sys};
use std::ffi::{CStr, c_char, c_void};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use strata_core::error::DbError;

#[allow(unsafe_code)]
unsafe extern "C-unwind" {
    // Not pgrx's, which would guard them: here an error is being processed already.
    fn CopyErrorData() -> *mut pg_sys::ErrorData;
    fn FreeErrorData(data: *mut pg_sys::ErrorData);
}

/// Does the work; an ERROR is the answer and not the end. The caller must then abort the transaction.
#[allow(unsafe_code)]
pub fn capture<R>(work: impl FnOnce() -> R) -> Result<R, DbError> {
    let mut seen: Box<Option<DbError>> = Box::new(None);
    // SAFETY: the callback is in the stack only while `seen` and itself live.
    let before = unsafe { pg_sys::error_context_stack };
    let mut callback = Box::new(pg_sys::ErrorContextCallback {
        previous: before,
        callback: Some(remember),
        arg: (&raw mut *seen).cast(),
    });
    // SAFETY: see above.
    unsafe { pg_sys::error_context_stack = &raw mut *callback };
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| Ok(work())))
        .catch_others(|caught| Err(thin(&caught)))
        .execute();
    // SAFETY: see above.
    unsafe { pg_sys::error_context_stack = before };
    outcome.map_err(|thin| match seen.take() {
        // An earlier one that was caught inside is not the one that ended it.
        Some(whole) if whole.message == thin.message => whole,
        _ => thin,
    })
}

fn thin(caught: &CaughtError) -> DbError {
    let (CaughtError::PostgresError(report)
    | CaughtError::ErrorReport(report)
    | CaughtError::RustPanic { ereport: report, .. }) = caught;
    DbError {
        sqlstate: unpack(report.sql_error_code() as i32),
        message: report.message().to_owned(),
        detail: report.detail().map(Into::into),
        hint: report.hint().map(Into::into),
        ..Default::default()
    }
}

/// Called for every report, and may neither raise nor unwind.
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn remember(seen: *mut c_void) {
    // SAFETY: Postgres is between errstart and errfinish. The copy must not be made in ErrorContext, and is freed here.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = pg_sys::TopMemoryContext;
        let data = CopyErrorData();
        if (*data).elevel >= PgLogLevel::ERROR as i32 {
            *seen.cast::<Option<DbError>>() = Some(DbError {
                sqlstate: unpack((*data).sqlerrcode),
                message: text((*data).message).unwrap_or_default(),
                detail: text((*data).detail),
                hint: text((*data).hint),
                context: text((*data).context).map(Into::into),
                position: u32::try_from((*data).cursorpos).ok().and_then(NonZeroU32::new),
                fatal: false,
            });
        }
        FreeErrorData(data);
        pg_sys::CurrentMemoryContext = context;
    }
}

#[allow(unsafe_code)]
unsafe fn text(from: *const c_char) -> Option<String> {
    // SAFETY: null, or a C string of the report.
    (!from.is_null()).then(|| unsafe { CStr::from_ptr(from) }.to_string_lossy().into_owned())
}

/// Postgres packs a SQLSTATE six bits a character, the first lowest.
fn unpack(code: i32) -> String {
    (0..5).map(|at| char::from(((code >> (6 * at)) & 0x3F) as u8 + b'0')).collect()
}
