//! What the server says of its own accord while a statement of a pack is at work, as a client would hear it. A worker has
//! no client: what is not for the server's log is dropped before anybody sees it, so the log's level is lowered for the time
//! of the statement, and what the log did not ask for is taken out of it again.

use pgrx::{PgLogLevel, pg_sys};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int};

/// Notices that are kept between two looks. Unit: notices; more are only counted.
const MOST: usize = 1_000;

thread_local! {
    /// What was said, and how much more.
    static HEARD: RefCell<(Vec<String>, usize)> = const { RefCell::new((Vec::new(), 0)) };
    /// The log's own level while somebody listens.
    static LEVEL: Cell<Option<c_int>> = const { Cell::new(None) };
    /// Who listened before.
    static BEFORE: Cell<pg_sys::emit_log_hook_type> = const { Cell::new(None) };
}

/// From now on, for the life of this process.
#[allow(unsafe_code)]
pub fn listen() {
    // SAFETY: a new worker, in which nobody else sets hooks at the same time.
    unsafe {
        BEFORE.set(pg_sys::emit_log_hook);
        pg_sys::emit_log_hook = Some(hear);
    }
}

/// Does the work and keeps what is said meanwhile.
#[allow(unsafe_code)]
pub fn heard<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: the variable behind log_min_messages, which the statement may set too: then it is left as it was set.
    unsafe {
        let level = pg_sys::log_min_messages;
        // `log` asks for nothing below a fatal error, whatever its number.
        let own = if level == PgLogLevel::LOG as c_int { c_int::MAX } else { level };
        let lowered = own.min(PgLogLevel::INFO as c_int);
        LEVEL.set(Some(own));
        pg_sys::log_min_messages = lowered;
        let done = work();
        if pg_sys::log_min_messages == lowered {
            pg_sys::log_min_messages = level;
        }
        LEVEL.set(None);
        done
    }
}

/// What was said since it was last asked. That an `if exists` found nothing is left out, as on the command line.
pub fn take() -> Vec<String> {
    let (mut lines, more) = HEARD.take();
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

/// Called for every report that goes to the log, and may neither raise nor unwind.
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn hear(data: *mut pg_sys::ErrorData) {
    // SAFETY: Postgres hands over a report that is whole.
    unsafe {
        let level = (*data).elevel;
        if let (Some(own), Some(name)) = (LEVEL.get(), severity(level)) {
            let wanted = level == PgLogLevel::INFO as c_int || level >= pg_sys::client_min_messages;
            if wanted && !(*data).message.is_null() {
                keep(name, &CStr::from_ptr((*data).message).to_string_lossy());
            }
            (*data).output_to_server &= level >= own;
        }
        if let Some(before) = BEFORE.get() {
            before(data);
        }
    }
}

fn severity(level: c_int) -> Option<&'static str> {
    [(PgLogLevel::INFO, "INFO"), (PgLogLevel::NOTICE, "NOTICE"), (PgLogLevel::WARNING, "WARNING")]
        .into_iter()
        .find_map(|(is, name)| (is as c_int == level).then_some(name))
}

fn keep(severity: &str, message: &str) {
    if message.ends_with(", skipping") {
        return;
    }
    HEARD.with_borrow_mut(|(lines, more)| match lines.len() < MOST {
        true => lines.push(format!("{severity}: {message}")),
        false => *more += 1,
    });
}
