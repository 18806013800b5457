//! `strata.insert_in_bulk`: writes the rows of a query into a table of ours as COPY does, many at once: one look for room, one
//! lock and one record of the log for a page of them, where INSERT takes one for each row. Rows are large here, and a table grows by
//! a page for each few.

#![allow(unsafe_code)]

use crate::by_plan::{arguments, refuse_null};
use crate::prepared;
use pgrx::pg_sys::{self, Datum, FunctionCallInfo, Oid, TupleTableSlot};
use pgrx::prelude::*;

/// Rows that are written at once. Bytes: a megabyte, for the largest that are kept in a page.
const ROWS: usize = 128;

/// What PostgreSQL asks of a library that has the function.
#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_strata_insert_in_bulk() -> &'static pg_sys::Pg_finfo_record {
    const VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &VERSION_1
}

/// `strata.insert_in_bulk()`, see `sql/create/by_plan.sql`. Raises what the query raises, and what the table's indexes and
/// constraints do.
///
/// # Safety
/// Called by PostgreSQL.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn strata_insert_in_bulk(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: the call is PostgreSQL's: a regclass, a text, and what follows it.
    unsafe {
        let Some(table) = pgrx::pg_getarg::<Oid>(fcinfo, 0) else { refuse_null("table") };
        let (query, given) = arguments(fcinfo, 1);
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as pg_sys::LOCKMODE);
        if !is_plain(relation) {
            pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            return pgrx::pg_return_null(fcinfo);
        }
        let mut writer = Writer::open(relation);
        let to = (&raw mut writer).cast::<pg_sys::DestReceiver>();
        if let Err(error) = prepared::scan(&query, &given, to) {
            error!("{error}");
        }
        Datum::from(writer.close())
    }
}

/// Whether nothing but its indexes and constraints has a say in what is inserted, and the caller may.
///
/// # Safety
/// An open table.
unsafe fn is_plain(relation: pg_sys::Relation) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        let (table, class) = ((*relation).rd_id, &*(*relation).rd_rel);
        let may = pg_sys::pg_class_aclcheck(table, pg_sys::GetUserId(), pg_sys::ACL_INSERT.into());
        let rows = pg_sys::check_enable_rls(table, Oid::INVALID, true);
        may == pg_sys::AclResult::ACLCHECK_OK
            && rows != pg_sys::CheckEnableRlsResult::RLS_ENABLED.cast_signed()
            && class.relkind == pg_sys::RELKIND_RELATION.cast_signed()
            && (*relation).trigdesc.is_null()
            && !pg_sys::XactReadOnly
    }
}

/// A receiver of the executor's, and the table that it writes to.
#[repr(C)]
struct Writer {
    callbacks: pg_sys::DestReceiver,
    relation: pg_sys::Relation,
    state: *mut pg_sys::EState,
    into: *mut pg_sys::ResultRelInfo,
    bulk: pg_sys::BulkInsertState,
    /// Rows, and how many of them wait.
    slots: Vec<*mut TupleTableSlot>,
    waiting: usize,
    written: i64,
}

impl Writer {
    /// # Safety
    /// A plain table, open and locked.
    unsafe fn open(relation: pg_sys::Relation) -> Writer {
        // SAFETY: as the caller promises. What is allocated ends with the memory of the call, what is open with the
        // transaction where an error is raised.
        unsafe {
            let into = pg_sys::palloc0(size_of::<pg_sys::ResultRelInfo>()).cast::<pg_sys::ResultRelInfo>();
            pg_sys::InitResultRelInfo(into, relation, 0, std::ptr::null_mut(), 0);
            pg_sys::ExecOpenIndices(into, false);
            Writer {
                callbacks: pg_sys::DestReceiver {
                    receiveSlot: Some(receive),
                    rStartup: Some(start),
                    rShutdown: Some(end),
                    rDestroy: Some(end),
                    mydest: pg_sys::CommandDest::DestTuplestore,
                },
                relation,
                state: pg_sys::CreateExecutorState(),
                into,
                bulk: pg_sys::GetBulkInsertState(),
                slots: Vec::new(),
                waiting: 0,
                written: 0,
            }
        }
    }

    /// # Safety
    /// A row of the table's form.
    unsafe fn take(&mut self, row: *mut TupleTableSlot) {
        // SAFETY: as the caller promises.
        unsafe {
            if self.waiting == self.slots.len() {
                let context = pg_sys::MemoryContextSwitchTo((*self.state).es_query_cxt);
                self.slots.push(pg_sys::table_slot_create(self.relation, std::ptr::null_mut()));
                pg_sys::MemoryContextSwitchTo(context);
            }
            let slot = self.slots[self.waiting];
            if let Some(copy) = (*(*slot).tts_ops).copyslot {
                copy(slot, row);
            }
            (*slot).tts_tableOid = (*self.relation).rd_id;
            if !(*(*self.relation).rd_att).constr.is_null() {
                pg_sys::ExecConstraints(self.into, slot, self.state);
            }
            self.waiting += 1;
            if self.waiting == ROWS {
                self.write();
            }
        }
    }

    /// # Safety
    /// What waits is of the table's form.
    unsafe fn write(&mut self) {
        // SAFETY: as the caller promises; what is allocated on the way is freed behind each batch.
        unsafe {
            let expressions = pg_sys::MakePerTupleExprContext(self.state);
            let short = (*expressions).ecxt_per_tuple_memory;
            let context = pg_sys::MemoryContextSwitchTo(short);
            let (count, command) =
                (i32::try_from(self.waiting).unwrap_or(0), pg_sys::GetCurrentCommandId(true));
            if let Some(insert) = (*(*self.relation).rd_tableam).multi_insert {
                insert(self.relation, self.slots.as_mut_ptr(), count, command, 0, self.bulk);
            }
            for slot in &self.slots[..self.waiting] {
                index(self.into, *slot, self.state);
                if let Some(clear) = (*(**slot).tts_ops).clear {
                    clear(*slot);
                }
            }
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::MemoryContextReset(short);
        }
        self.written += i64::try_from(self.waiting).unwrap_or(0);
        self.waiting = 0;
    }

    /// Writes what still waits. How many it were.
    ///
    /// # Safety
    /// Behind the last row.
    unsafe fn close(mut self) -> i64 {
        // SAFETY: everything was opened by `open`; the table stays locked.
        unsafe {
            if self.waiting > 0 {
                self.write();
            }
            for slot in std::mem::take(&mut self.slots) {
                pg_sys::ExecDropSingleTupleTableSlot(slot);
            }
            pg_sys::FreeBulkInsertState(self.bulk);
            pg_sys::ExecCloseIndices(self.into);
            pg_sys::FreeExecutorState(self.state);
            pg_sys::table_close(self.relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            pg_sys::CommandCounterIncrement();
        }
        self.written
    }
}

/// The entries of a row in the indexes of its table.
///
/// # Safety
/// A row that was written to the table.
unsafe fn index(into: *mut pg_sys::ResultRelInfo, slot: *mut TupleTableSlot, state: *mut pg_sys::EState) {
    let (none, all) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: as the caller promises.
    #[cfg(feature = "pg15")]
    unsafe {
        pg_sys::ExecInsertIndexTuples(into, slot, state, false, false, none, all);
    }
    // SAFETY: as the caller promises.
    #[cfg(not(feature = "pg15"))]
    unsafe {
        pg_sys::ExecInsertIndexTuples(into, slot, state, false, false, none, all, false);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn receive(slot: *mut TupleTableSlot, to: *mut pg_sys::DestReceiver) -> bool {
    // SAFETY: the executor hands over the receiver that it was given, and a row.
    unsafe { (*to.cast::<Writer>()).take(slot) };
    true
}

/// Raises 42804 where the rows are not of the table's form.
#[pg_guard]
unsafe extern "C-unwind" fn start(to: *mut pg_sys::DestReceiver, _operation: i32, given: pg_sys::TupleDesc) {
    // SAFETY: as above.
    let alike = unsafe {
        let table = (*(*to.cast::<Writer>()).relation).rd_att;
        let kind = |form: pg_sys::TupleDesc, n| pg_sys::SPI_gettypeid(form, n);
        (*given).natts == (*table).natts && (1..=(*table).natts).all(|n| kind(given, n) == kind(table, n))
    };
    if !alike {
        ereport!(
            ERROR,
            PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
            "the rows of the query are not of the table's form"
        );
    }
}

unsafe extern "C-unwind" fn end(_: *mut pg_sys::DestReceiver) {}
