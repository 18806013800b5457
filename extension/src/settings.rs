//! Settings that hold while a statement is planned or run, and for nobody else.

use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// What a statement of search is planned under, once for all tenants: by the index of the tenant, however many rows the
/// planner guesses there are. A plan for the average tenant would read the whole table where there are few tenants. No
/// compilation: forbidding a sequential scan raises the guessed cost of a table without such an index to where it would
/// set in.
const SHAPE: [(&CStr, &CStr); 2] = [(c"enable_seqscan", c"off"), (c"jit", c"off")];

/// The same for a statement in the order of an index: without sorting, only that index is left. It is the keys, in whose order
/// rows are looked up, or the distance. The index of the tenant looks cheaper where the planner guesses that tenants have few rows.
/// Whether the session scans indexes does not count: it was asked for one.
const ORDERED: [(&CStr, &CStr); 4] =
    [(c"enable_seqscan", c"off"), (c"enable_sort", c"off"), (c"enable_indexscan", c"on"), (c"jit", c"off")];

/// Does some planning under the settings of a statement in the order of an index.
pub fn shaped_by_order<R>(work: impl FnOnce() -> R) -> R {
    under(&ORDERED, work)
}

/// Does some planning under the settings of search.
pub fn shaped<R>(work: impl FnOnce() -> R) -> R {
    under(&SHAPE, work)
}

/// How many of its vectors an index is searched for at most, where row level security or another source keeps most of them
/// out. Unit: times `ef_search`. Chosen: comparing all vectors is what is left, and is not to come much later.
const SCANNED: i64 = 4;

/// Does some work while pgvector looks at so many vectors of an HNSW index, and at more where those are left out.
pub fn wide<R>(ef_search: i64, work: impl FnOnce() -> R) -> R {
    let text = |number: i64| CString::new(number.to_string()).expect("digits have no NUL");
    let (ef_search, scanned) = (text(ef_search), text(SCANNED * ef_search));
    let settings: [(&CStr, &CStr); 3] = [
        (c"hnsw.ef_search", &ef_search),
        (c"hnsw.iterative_scan", c"strict_order"),
        (c"hnsw.max_scan_tuples", &scanned),
    ];
    under(&settings, work)
}

/// Runs a statement by the plan that was made for all tenants, also where the session asks for a new one each time.
pub fn generic<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: reads a variable of this process.
    #[allow(unsafe_code)]
    let custom = i64::from(unsafe { pg_sys::plan_cache_mode })
        == i64::from(pg_sys::PlanCacheMode::PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN);
    if custom { under(&[(c"plan_cache_mode", c"auto")], work) } else { work() }
}

/// Does some work in which strings are read as a pack was.
pub fn as_written<R>(work: impl FnOnce() -> R) -> R {
    under(&[(c"standard_conforming_strings", c"on")], work)
}

/// Does some work under settings. They end with it; where an error is raised, Postgres takes them back.
#[allow(unsafe_code)]
fn under<R>(settings: &[(&CStr, &CStr)], work: impl FnOnce() -> R) -> R {
    // SAFETY: a nest level is opened, and closed below or by the abort of the transaction, as for a function with SET.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    for (name, value) in settings {
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
