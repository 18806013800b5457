//! Settings that hold while a statement is planned and run, and for nobody else.

use pgrx::pg_sys;
use std::ffi::CStr;

/// What a statement of search is planned under. One plan for all tenants, so that it is planned once a session and the
/// sixth call answers as the first; the tenant's rows by their index, however many the planner guesses they are: a plan
/// for the average tenant would read the whole table where there are few tenants, and so would one for a large tenant
/// which small ones then share. No compilation: forbidding a sequential scan raises the guessed cost of a table without
/// such an index to where it would set in.
const SHAPE: [(&CStr, &CStr); 3] =
    [(c"plan_cache_mode", c"force_generic_plan"), (c"enable_seqscan", c"off"), (c"jit", c"off")];

/// Does some work under the settings of search. They end with it; where an error is raised, Postgres takes them back.
#[allow(unsafe_code)]
pub fn shaped<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: a nest level is opened, and closed below or by the abort of the transaction, as for a function with SET.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    for (name, value) in SHAPE {
        // SAFETY: in the level that was opened above.
        unsafe { set_local(name, value) };
    }
    let done = work();
    // SAFETY: the level that was opened above; whatever was opened in between is closed.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    done
}

/// Sets a parameter as a function's SET does, in parallel workers too. Ends with the nest level.
///
/// # Safety
/// Inside a nest level that the caller closes, or that the abort of the transaction does.
#[allow(unsafe_code)]
pub unsafe fn set_local(name: &CStr, value: &CStr) {
    // SAFETY: name and value are C strings that the server copies.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
