//! A destination of rows that keeps them as text.

use pgrx::pg_sys;
use pgrx::prelude::*;
use std::ffi::CStr;
use strata_core::statement::Row;

/// Rows that are kept; a verification has a handful. Unit: rows.
const MOST: usize = 100_000;

/// A destination as Postgres calls it, and behind it what it has caught.
#[repr(C)]
pub struct Catcher {
    head: pg_sys::DestReceiver,
    rows: Vec<Row>,
}

impl Catcher {
    /// Boxed: Postgres keeps its address while a statement runs.
    pub fn new() -> Box<Catcher> {
        let head = pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(startup),
            rShutdown: Some(nothing),
            rDestroy: Some(nothing),
            mydest: pg_sys::CommandDest::DestNone,
        };
        Box::new(Catcher { head, rows: Vec::new() })
    }

    /// For Postgres.
    pub fn receiver(&mut self) -> *mut pg_sys::DestReceiver {
        (self as *mut Catcher).cast()
    }

    /// What was caught.
    pub fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }
}

#[allow(unsafe_code)]
#[pg_guard]
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    me: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: Postgres hands back the receiver it was given, which is the head of a Catcher, and a slot with its row.
    unsafe {
        let rows = &mut (*me.cast::<Catcher>()).rows;
        if rows.len() < MOST {
            let columns = (*(*slot).tts_tupleDescriptor).natts;
            if i32::from((*slot).tts_nvalid) < columns {
                pg_sys::slot_getsomeattrs_int(slot, columns);
            }
            rows.push((0..columns as usize).map(|at| cell(slot, at)).collect());
        }
        true
    }
}

#[allow(unsafe_code)]
unsafe fn cell(slot: *mut pg_sys::TupleTableSlot, at: usize) -> Option<String> {
    // SAFETY: the attributes were fetched, and `at` is one of them.
    unsafe {
        if *(*slot).tts_isnull.add(at) {
            return None;
        }
        let column_type = pg_sys::SPI_gettypeid((*slot).tts_tupleDescriptor, at as i32 + 1);
        let (mut output, mut varlena) = (pg_sys::InvalidOid, false);
        pg_sys::getTypeOutputInfo(column_type, &raw mut output, &raw mut varlena);
        let text = pg_sys::OidOutputFunctionCall(output, *(*slot).tts_values.add(at));
        let kept = CStr::from_ptr(text).to_string_lossy().into_owned();
        pg_sys::pfree(text.cast());
        Some(kept)
    }
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn startup(_: *mut pg_sys::DestReceiver, _: i32, _: pg_sys::TupleDesc) {}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn nothing(_: *mut pg_sys::DestReceiver) {}
