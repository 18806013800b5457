//! Bookkeeping: strata's own tables are read and written as their owner, whoever is asking.

use crate::settings::set_local;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::{JsonB, spi};
use std::ffi::CStr;
use strata_core::statement::{Row, Statement, Value};

/// Runs a statement of ours; every column of its rows as text.
pub fn ask(statement: &Statement) -> spi::Result<Vec<Row>> {
    let parameters: Vec<DatumWithOid<'_>> = statement.params.iter().map(bind).collect();
    Spi::connect_mut(|client| {
        let table = client.update(statement.sql.as_str(), None, &parameters)?;
        let columns = table.columns().unwrap_or(0);
        table.map(|row| (1..=columns).map(|column| row.get::<String>(column)).collect()).collect()
    })
}

fn bind(value: &Value) -> DatumWithOid<'static> {
    match value {
        Value::Null => None::<String>.into(),
        Value::Text(text) => text.clone().into(),
        Value::Int(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Json(json) => JsonB(json.clone()).into(),
    }
}

/// Does the work with the rights of the owner of strata's tables, and with nothing of the session's in its way: names
/// and operators are those of pg_catalog, and no `lock_timeout` of a file applies.
#[allow(unsafe_code)]
pub fn as_owner<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: called inside a transaction.
    as_role(unsafe { owner() }, c"pg_catalog, pg_temp", work)
}

/// Does the work with the rights and the search_path of another role. An ERROR inside ends with its transaction, which
/// restores all of it.
#[allow(unsafe_code)]
pub fn as_role<R>(role: pg_sys::Oid, search_path: &CStr, work: impl FnOnce() -> R) -> R {
    // SAFETY: called inside a transaction; what is changed is put back below, or by the abort.
    unsafe {
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let level = pg_sys::NewGUCNestLevel();
        set_local(c"search_path", search_path);
        set_local(c"lock_timeout", c"0");
        let local = pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32;
        pg_sys::SetUserIdAndSecContext(role, context | local);
        let done = work();
        pg_sys::SetUserIdAndSecContext(user, context);
        pg_sys::AtEOXact_GUC(true, level);
        done
    }
}

/// Does the work in a transaction that may only read, and leaves it as it was.
#[allow(unsafe_code)]
pub fn read_only<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: the flag behind transaction_read_only, which cannot be set for a while; an abort restores it too.
    unsafe {
        let before = pg_sys::XactReadOnly;
        pg_sys::XactReadOnly = true;
        let done = work();
        pg_sys::XactReadOnly = before;
        done
    }
}

/// Owner of strata.run, and so of all of them.
#[allow(unsafe_code)]
unsafe fn owner() -> pg_sys::Oid {
    // SAFETY: inside a transaction; a row of the catalog cache is read before it is given back.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"strata".as_ptr(), false);
        let table = pg_sys::get_relname_relid(c"run".as_ptr(), schema);
        let cache = pg_sys::SysCacheIdentifier::RELOID as i32;
        let row = pg_sys::SearchSysCache1(cache, table.into());
        if row.is_null() {
            ereport!(
                ERROR,
                PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                "strata.run does not exist",
                "create extension strata"
            );
        }
        let owner = (*pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_class>()).relowner;
        pg_sys::ReleaseSysCache(row);
        owner
    }
}
