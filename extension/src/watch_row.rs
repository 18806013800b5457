//! The first look at an updated row of a source: where nothing that its embedding is made of has other bytes than before,
//! nothing else is done. Only the rest is handed to the source's own trigger function (`sql/create/watcher.sql`), which
//! looks at texts: to enter PL/pgSQL under rights and a `search_path` of its own costs several times as much as to see
//! that only a status has changed.

#![allow(unsafe_code)]

use pgrx::prelude::*;
use pgrx::trigger_support::called_as_trigger;
use std::ffi::{CStr, c_char, c_int};

/// What PostgreSQL asks of a library that has the function.
#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_strata_watch_row() -> &'static pg_sys::Pg_finfo_record {
    const VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &VERSION_1
}

/// `strata.watch_row()`, see `sql/create/watch_row.sql`. Raises 39P01 (not called as a trigger of an updated row, or
/// without its arguments).
///
/// # Safety
/// Called by PostgreSQL.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn strata_watch_row(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: a trigger's context is TriggerData, which lives as long as the call.
    let update =
        unsafe { called_as_trigger(fcinfo).then(|| Update::of(&*(*fcinfo).context.cast())) }.flatten();
    let Some(update) = update else {
        ereport!(
            ERROR,
            PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            "strata.watch_row is a trigger after the update of a row",
            "strata.add_source makes it"
        );
    };
    // SAFETY: the arguments are C strings of the trigger, the columns those of its table.
    unsafe { if update.leaves_embedding() { pg_sys::Datum::from(0) } else { update.hand_over(fcinfo) } }
}

/// An update of one row, and the arguments of its trigger.
struct Update<'a> {
    data: &'a pg_sys::TriggerData,
    entity_type: &'a CStr,
    /// The key, and what the text is made of.
    columns: Vec<&'a CStr>,
}

impl<'a> Update<'a> {
    /// None: something else.
    ///
    /// # Safety
    /// `data` is that of a trigger that is being fired.
    unsafe fn of(data: &'a pg_sys::TriggerData) -> Option<Self> {
        let event = data.tg_event & (pg_sys::TRIGGER_EVENT_OPMASK | pg_sys::TRIGGER_EVENT_ROW);
        if event != pg_sys::TRIGGER_EVENT_UPDATE | pg_sys::TRIGGER_EVENT_ROW {
            return None;
        }
        // SAFETY: a trigger has as many arguments as it says.
        let mut arguments = unsafe {
            let trigger = &*data.tg_trigger;
            (0..trigger.tgnargs as usize).map(|n| CStr::from_ptr(*trigger.tgargs.add(n)))
        };
        let entity_type = arguments.next()?;
        let columns: Vec<_> = arguments.collect();
        (columns.len() > 1).then_some(Update { data, entity_type, columns })
    }

    /// True: key and text are byte for byte what they were, and no column was emptied: one of them may hold the vector. A
    /// column that is not there any more is for the source's own function, which warns.
    ///
    /// # Safety
    /// While the trigger is being fired.
    unsafe fn leaves_embedding(&self) -> bool {
        // SAFETY: both rows are of the trigger's table.
        unsafe { self.columns.iter().all(|column| self.leaves(column)) && !self.empties_any() }
    }

    unsafe fn leaves(&self, column: &CStr) -> bool {
        // SAFETY: both rows are of the trigger's table, and `number` is a column of it.
        unsafe {
            let shape = (*self.data.tg_relation).rd_att;
            let number = pg_sys::SPI_fnumber(shape, column.as_ptr());
            if number <= 0 {
                return false;
            }
            match (value(self.data.tg_trigtuple, number, shape), value(self.data.tg_newtuple, number, shape))
            {
                (Some(old), Some(new)) => is_same(old, new, shape, number),
                (old, new) => old.is_none() && new.is_none(),
            }
        }
    }

    unsafe fn empties_any(&self) -> bool {
        // SAFETY: both rows are of the trigger's table.
        unsafe {
            let (old, new) = (self.data.tg_trigtuple, self.data.tg_newtuple);
            let shape = (*self.data.tg_relation).rd_att;
            u32::from((*(*new).t_data).t_infomask) & pg_sys::HEAP_HASNULL != 0
                && (1..=(*shape).natts)
                    .any(|n| pg_sys::heap_attisnull(new, n, shape) && !pg_sys::heap_attisnull(old, n, shape))
        }
    }

    /// Calls the trigger function of the source in our place, with our context.
    unsafe fn hand_over(&self, fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
        // SAFETY: what a function leaves in `fn_extra` lives as long as its FmgrInfo, here for one statement.
        unsafe {
            let mine = (*fcinfo).flinfo;
            if (*mine).fn_extra.is_null() {
                let theirs = pg_sys::MemoryContextAllocZero((*mine).fn_mcxt, size_of::<pg_sys::FmgrInfo>());
                pg_sys::fmgr_info_cxt(self.watcher((*mine).fn_oid), theirs.cast(), (*mine).fn_mcxt);
                (*mine).fn_extra = theirs;
            }
            let theirs: *mut pg_sys::FmgrInfo = (*mine).fn_extra.cast();
            let mut call = pg_sys::FunctionCallInfoBaseData {
                flinfo: theirs,
                context: (*fcinfo).context,
                ..Default::default()
            };
            let function = (*theirs).fn_addr.expect("fmgr_info has found it");
            function(&raw mut call)
        }
    }

    /// The trigger function of the source, "watch TYPE" in the schema of `mine`: found without the rights of the writer,
    /// who has none on that schema. Raises 42883 (somebody has dropped it).
    unsafe fn watcher(&self, mine: pg_sys::Oid) -> pg_sys::Oid {
        let name = format!("watch {}", self.entity_type.to_string_lossy());
        // SAFETY: the keys of this cache are a name, which is copied to its full length, a list of types, a schema, and none.
        let found = unsafe {
            let mut key = pg_sys::NameData::default();
            for (to, from) in key.data.iter_mut().zip(name.bytes().take(pg_sys::NAMEDATALEN as usize - 1)) {
                *to = from as c_char;
            }
            pg_sys::GetSysCacheOid(
                pg_sys::SysCacheIdentifier::PROCNAMEARGSNSP as c_int,
                pg_sys::Anum_pg_proc_oid as pg_sys::AttrNumber,
                pg_sys::Datum::from(&raw const key),
                pg_sys::Datum::from(pg_sys::buildoidvector(std::ptr::null(), 0)),
                pg_sys::Datum::from(pg_sys::get_func_namespace(mine)),
                pg_sys::Datum::from(0),
            )
        };
        if found == pg_sys::InvalidOid {
            ereport!(
                ERROR,
                PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
                format!("function strata.{} does not exist", spi::quote_identifier(&name)),
                "drop the source and add it again"
            );
        }
        found
    }
}

/// The value of a column; none: null.
unsafe fn value(
    row: *mut pg_sys::HeapTupleData,
    number: c_int,
    shape: pg_sys::TupleDesc,
) -> Option<pg_sys::Datum> {
    let mut is_null = false;
    // SAFETY: the caller's row has this shape, and the shape this column.
    let value = unsafe { pg_sys::heap_getattr(row, number, shape, &mut is_null) };
    (!is_null).then_some(value)
}

/// The same bytes as they lie in the table: a long text that nobody touched is compared by where it lies, and not read.
unsafe fn is_same(old: pg_sys::Datum, new: pg_sys::Datum, shape: pg_sys::TupleDesc, number: c_int) -> bool {
    // SAFETY: `number` counts from 1 and is a column of this shape.
    unsafe {
        #[cfg(feature = "pg18")]
        let column = &*pg_sys::TupleDescAttr(shape, number - 1);
        #[cfg(not(feature = "pg18"))]
        let column = &(*shape).attrs.as_slice((*shape).natts as usize)[number as usize - 1];
        pg_sys::datumIsEqual(old, new, column.attbyval, c_int::from(column.attlen))
    }
}
