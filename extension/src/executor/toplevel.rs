//! One statement at top level: parsed, planned and run through a portal as `exec_simple_query` of Postgres does it, so
//! that what refuses a transaction works, and `begin`, `commit` and procedures that commit do too.

use super::failure::capture;
use super::rows::Catcher;
use pgrx::pg_sys;
use pgrx::prelude::*;
use std::ffi::{CStr, CString, c_int, c_long};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use strata_core::error::DbError;
use strata_core::statement::{Reply, Row};

#[allow(unsafe_code)]
unsafe extern "C-unwind" {
    // Not in pgrx's bindings.
    fn enable_timeout_after(id: c_int, milliseconds: c_int);
    fn disable_timeout(id: c_int, keep_indicator: bool);
}

/// In `TimeoutId` of utils/timeout.h, 15 to 18.
const STATEMENT_TIMEOUT: c_int = 3;

/// Whether a failed statement leaves the transaction block that it stands in, as a client's would.
static KEEPS_BLOCKS: AtomicBool = AtomicBool::new(false);

/// From now on the savepoints of a block outlive a statement that fails, or its block ends with it.
pub fn keep_blocks(keep: bool) {
    KEEPS_BLOCKS.store(keep, Ordering::Relaxed);
}

/// What is wanted of a statement besides that it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// Its rows, every column as text.
    Rows,
    /// One row: how many rows it returned or touched.
    Count,
}

/// Runs one statement.
///
/// `memory` outlives the transactions that the statement ends, and is emptied before the next one.
#[allow(unsafe_code)]
pub fn run(memory: pg_sys::MemoryContext, sql: &str, wanted: Wanted) -> Reply {
    // SAFETY: reading a state.
    if sql == "rollback" && !unsafe { pg_sys::IsTransactionBlock() } {
        // An ERROR has ended it already.
        return Ok(Vec::new());
    }
    let text = CString::new(sql).map_err(|_| DbError {
        sqlstate: "22021".into(),
        message: "the statement holds a zero byte".into(),
        ..Default::default()
    })?;
    // SAFETY: a worker at top level, between statements.
    unsafe { in_sight(&text, pg_sys::BackendState::STATE_RUNNING) };
    let mut catcher = (wanted == Wanted::Rows).then(Catcher::new);
    let receiver = catcher.as_mut().map_or(null_mut(), |catcher| catcher.receiver());
    // SAFETY: as above; an ERROR inside is followed by an abort.
    let outcome = capture(|| unsafe { execute(memory, &text, receiver) });
    // SAFETY: as above.
    unsafe { settle(outcome.is_err()) };
    outcome.map(|touched| match wanted {
        Wanted::Count => vec![vec![Some(touched.to_string())]],
        _ => catcher.map_or_else(Vec::<Row>::new, |mut catcher| catcher.take()),
    })
}

/// Ends what a statement or a piece of bookkeeping has left: its transaction where it failed, and its traces.
#[allow(unsafe_code)]
pub unsafe fn settle(failed: bool) {
    // SAFETY: a worker at top level, between statements.
    unsafe {
        if failed {
            disable_timeout(STATEMENT_TIMEOUT, false);
            // In a block AbortCurrentTransaction leaves an aborted one behind, which can go back to a savepoint.
            match KEEPS_BLOCKS.load(Ordering::Relaxed) {
                true => pg_sys::AbortCurrentTransaction(),
                false => pg_sys::AbortOutOfAnyTransaction(),
            }
        }
        pg_sys::CurrentMemoryContext = pg_sys::TopMemoryContext;
        pg_sys::debug_query_string = std::ptr::null();
        let state = if pg_sys::IsTransactionBlock() {
            pg_sys::BackendState::STATE_IDLEINTRANSACTION
        } else {
            pg_sys::pgstat_report_stat(false);
            pg_sys::BackendState::STATE_IDLE
        };
        pg_sys::pgstat_report_activity(state, std::ptr::null());
    }
}

/// For pg_stat_activity and the server's log.
#[allow(unsafe_code)]
unsafe fn in_sight(text: &CStr, state: pg_sys::BackendState::Type) {
    // SAFETY: the text lives until `settle`.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        pg_sys::debug_query_string = text.as_ptr();
        pg_sys::pgstat_report_activity(state, text.as_ptr());
    }
}

/// Returns how many rows it returned or touched.
#[allow(unsafe_code)]
unsafe fn execute(memory: pg_sys::MemoryContext, text: &CStr, receiver: *mut pg_sys::DestReceiver) -> u64 {
    // SAFETY: the order of exec_simple_query, 15 to 18; what is planned lives in `memory`.
    unsafe {
        pg_sys::StartTransactionCommand();
        let limit = pg_sys::StatementTimeout;
        if limit > 0 {
            enable_timeout_after(STATEMENT_TIMEOUT, limit);
        }
        pg_sys::MemoryContextReset(memory);
        pg_sys::CurrentMemoryContext = memory;
        let touched = parse(text).map_or(0, |parsed| through_portal(parsed, text, receiver));
        if limit > 0 {
            disable_timeout(STATEMENT_TIMEOUT, false);
        }
        pg_sys::CommitTransactionCommand();
        touched
    }
}

/// The one statement in the text; none in a text of comments.
#[allow(unsafe_code)]
unsafe fn parse(text: &CStr) -> Option<*mut pg_sys::RawStmt> {
    // SAFETY: a list of raw statements, or null where there is none.
    unsafe {
        let list = pg_sys::raw_parser(text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        if list.is_null() {
            return None;
        }
        if (*list).length != 1 {
            ereport!(
                ERROR,
                PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
                format!("one statement is expected, not {}", (*list).length)
            );
        }
        let parsed = (*(*list).elements).ptr_value.cast::<pg_sys::RawStmt>();
        if is_copy_of_the_client((*parsed).stmt) {
            ereport!(
                ERROR,
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                "copy from stdin or to stdout needs a client, and a run in the database has none",
                "insert the rows, or copy from and to a file of the server"
            );
        }
        Some(parsed)
    }
}

/// Without a client the rows would come from the server's own input, or go into its log.
#[allow(unsafe_code)]
unsafe fn is_copy_of_the_client(node: *mut pg_sys::Node) -> bool {
    // SAFETY: a node is what its tag says.
    unsafe {
        (*node).type_ == pg_sys::NodeTag::T_CopyStmt && (*node.cast::<pg_sys::CopyStmt>()).filename.is_null()
    }
}

#[allow(unsafe_code)]
unsafe fn through_portal(
    parsed: *mut pg_sys::RawStmt,
    text: &CStr,
    receiver: *mut pg_sys::DestReceiver,
) -> u64 {
    // SAFETY: see `execute`.
    unsafe {
        let tag = pg_sys::CreateCommandTag((*parsed).stmt);
        let plans = plan(parsed, text);
        let portal = pg_sys::CreatePortal(c"".as_ptr(), true, true);
        (*portal).visible = false;
        pg_sys::PortalDefineQuery(portal, std::ptr::null(), text.as_ptr(), tag, plans, null_mut());
        pg_sys::PortalStart(portal, null_mut(), 0, null_mut());
        let receiver = match receiver.is_null() {
            true => pg_sys::CreateDestReceiver(pg_sys::CommandDest::DestNone),
            false => receiver,
        };
        let mut completion = pg_sys::QueryCompletion { commandTag: tag, nprocessed: 0 };
        #[cfg(not(feature = "pg18"))]
        pg_sys::PortalRun(portal, c_long::MAX, true, true, receiver, receiver, &raw mut completion);
        #[cfg(feature = "pg18")]
        pg_sys::PortalRun(portal, c_long::MAX, true, receiver, receiver, &raw mut completion);
        pg_sys::PortalDrop(portal, false);
        completion.nprocessed
    }
}

#[allow(unsafe_code)]
unsafe fn plan(parsed: *mut pg_sys::RawStmt, text: &CStr) -> *mut pg_sys::List {
    // SAFETY: see `execute`.
    unsafe {
        let snapshot = pg_sys::analyze_requires_snapshot(parsed);
        if snapshot {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        let queries = pg_sys::pg_analyze_and_rewrite_fixedparams(
            parsed,
            text.as_ptr(),
            std::ptr::null(),
            0,
            null_mut(),
        );
        let parallel = pg_sys::CURSOR_OPT_PARALLEL_OK as c_int;
        let plans = pg_sys::pg_plan_queries(queries, text.as_ptr(), parallel, null_mut());
        if snapshot {
            pg_sys::PopActiveSnapshot();
        }
        plans
    }
}
