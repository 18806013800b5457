//! Read-only statements, prepared once for each session.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{Oid, PgOid};
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiHeapTupleData};
use std::cell::RefCell;

/// Statements kept in a session. Unit: statements. Search needs four, and one more for each set of sources.
const KEPT: usize = 16;

/// What a statement was prepared for. The types belong to it: pgvector dropped and created again has another oid.
#[derive(PartialEq, Eq)]
struct Key {
    sql: String,
    types: Vec<Oid>,
}

thread_local! {
    // Most recently used last.
    static STATEMENTS: RefCell<Vec<(Key, OwnedPreparedStatement)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a query and reads each row. Never assigns a transaction id.
///
/// The statement is out of the cache while it runs, so that a policy or a function that comes back here finds the cache
/// free, and an error on the way only costs preparing it again.
pub fn select<R>(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    mut read: impl FnMut(SpiHeapTupleData<'_>) -> spi::Result<R>,
) -> spi::Result<Vec<R>> {
    let key = Key { sql: sql.to_owned(), types: parameters.iter().map(DatumWithOid::oid).collect() };
    Spi::connect(|client| {
        let statement = match take(&key) {
            Some(statement) => statement,
            None => {
                let types: Vec<PgOid> = key.types.iter().map(|oid| PgOid::from(*oid)).collect();
                client.prepare(sql, &types)?.keep()
            }
        };
        let rows = client.select(&statement, None, parameters)?.map(&mut read).collect();
        put(key, statement);
        rows
    })
}

fn take(key: &Key) -> Option<OwnedPreparedStatement> {
    STATEMENTS.with_borrow_mut(|kept| {
        let at = kept.iter().position(|(k, _)| k == key)?;
        Some(kept.remove(at).1)
    })
}

fn put(key: Key, statement: OwnedPreparedStatement) {
    STATEMENTS.with_borrow_mut(|kept| {
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((key, statement));
    });
}
