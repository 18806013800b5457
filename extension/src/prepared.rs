//! Statements that are prepared once for each session and role.

use crate::settings::{generic, shaped, shaped_by_order, wide};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, Oid};
use pgrx::prelude::*;
use pgrx::spi::{SpiError, SpiHeapTupleData};
use std::cell::RefCell;
use std::ffi::CString;
use std::ptr::NonNull;

mod expression;
mod shape;

/// Statements kept in a session. Unit: statements. Search needs four, and one more for each set of sources; twice that
/// where a session changes roles. The queue needs five for each source.
const KEPT: usize = 64;

/// What a statement was prepared for. The types belong to it: pgvector dropped and created again has another oid. The role
/// does too: under row level security a plan is made for one, and would be made anew at each change.
#[derive(PartialEq, Eq)]
struct Key {
    sql: String,
    types: Vec<Oid>,
    role: Oid,
}

thread_local! {
    // Most recently used last.
    static STATEMENTS: RefCell<Vec<(Key, Statement)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a query and reads each row. Never assigns a transaction id.
pub fn select<R>(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    read: impl FnMut(SpiHeapTupleData<'_>) -> spi::Result<R>,
) -> spi::Result<Vec<R>> {
    with(sql, parameters, |statement| statement.run(parameters, read))
}

/// The only value of a statement without parameters, such as who is asking; none for null, and where there is no row.
pub fn value<T: FromDatum + IntoDatum>(sql: &str) -> spi::Result<Option<T>> {
    let key = key(sql, &[]);
    let mut statement = match take(&key) {
        Some(statement) => statement,
        None => Spi::connect(|_| Statement::prepare(&key))?,
    };
    let value = match statement.compute() {
        Some(value) => Ok(value),
        None => Spi::connect(|_| statement.run(&[], |row| row[1].value())).map(first),
    };
    put(key, statement);
    value
}

fn first<T>(values: Vec<Option<T>>) -> Option<T> {
    values.into_iter().next().flatten()
}

/// As [`select`], for a statement of search, whose plan is one for all tenants and goes by their index. The settings that make
/// it so hold while it is planned: what a policy calls while it runs sees those of the session.
pub fn search<R>(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    read: impl FnMut(SpiHeapTupleData<'_>) -> spi::Result<R>,
) -> spi::Result<Vec<R>> {
    with(sql, parameters, |statement| {
        statement.shape();
        generic(|| statement.run(parameters, read))
    })
}

/// The same, its rows handed over one by one as they are read, not copied. `to` is told of no error.
///
/// # Safety
/// A receiver whose functions may be called for the rows of this statement.
#[allow(unsafe_code)]
pub unsafe fn scan(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    to: *mut pg_sys::DestReceiver,
) -> spi::Result<()> {
    with(sql, parameters, |statement| {
        statement.shape();
        // SAFETY: as the caller promises.
        generic(|| unsafe { statement.hand_over(parameters, to) })
    })
}

/// The same of a statement whose rows come in the order of a vector index, of which so many vectors are looked at.
///
/// # Safety
/// As [`scan`].
#[allow(unsafe_code)]
pub unsafe fn scan_by_index(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    ef_search: i64,
    to: *mut pg_sys::DestReceiver,
) -> spi::Result<()> {
    with(sql, parameters, |statement| {
        if !statement.is_planned() {
            shaped_by_order(|| statement.plan());
        }
        // SAFETY: as the caller promises.
        wide(ef_search, || generic(|| unsafe { statement.hand_over(parameters, to) }))
    })
}

/// The same where the rows are looked up by keys, in so many arrays that are the first parameters; none where the statement
/// does not go by indexes on them.
pub fn by_keys<R>(
    sql: &str,
    arrays: usize,
    parameters: &[DatumWithOid<'_>],
    read: impl FnMut(SpiHeapTupleData<'_>) -> spi::Result<R>,
) -> spi::Result<Option<Vec<R>>> {
    with(sql, parameters, |statement| {
        if !statement.is_planned() {
            shaped_by_order(|| statement.plan());
            let arrays = i32::try_from(arrays).unwrap_or(0);
            statement.by_keys = shape::is_by_keys(statement.source(), arrays);
        }
        if !statement.by_keys {
            return Ok(None);
        }
        generic(|| statement.run(parameters, read)).map(Some)
    })
}

/// Runs a statement that writes, planned by indexes: how many rows it touched.
pub fn change(sql: &str, parameters: &[DatumWithOid<'_>]) -> spi::Result<u64> {
    with(sql, parameters, |statement| {
        statement.shape();
        generic(|| statement.execute(parameters, false))?;
        // SAFETY: reads a variable of this process.
        #[allow(unsafe_code)]
        Ok(unsafe { pg_sys::SPI_processed })
    })
}

/// The same of one that answers with an array of places (42804 where it does not), in the memory of whoever asks; none for null.
pub fn array(sql: &str, parameters: &[DatumWithOid<'_>]) -> spi::Result<Option<pg_sys::Datum>> {
    with(sql, parameters, |statement| {
        statement.shape();
        generic(|| statement.execute(parameters, false))?;
        // SAFETY: a statement of one row has been executed inside of `Spi::connect`; an array has no length of its own.
        #[allow(unsafe_code)]
        unsafe {
            let table = pg_sys::SPI_tuptable.as_ref().ok_or(SpiError::NoTupleTable)?;
            let is_array = pg_sys::SPI_gettypeid(table.tupdesc, 1) == pg_sys::TIDARRAYOID;
            if table.numvals != 1 || !is_array {
                ereport!(
                    ERROR,
                    PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                    "the statement does not answer one array of places"
                );
            }
            let mut is_null = true;
            let value = pg_sys::SPI_getbinval(*table.vals, table.tupdesc, 1, &raw mut is_null);
            Ok((!is_null).then(|| pg_sys::SPI_datumTransfer(value, false, -1)))
        }
    })
}

/// The statement is out of the cache while it runs, so that a policy or a function that comes back here finds the cache
/// free, and an error on the way only costs preparing it again.
fn with<R>(
    sql: &str,
    parameters: &[DatumWithOid<'_>],
    work: impl FnOnce(&mut Statement) -> spi::Result<R>,
) -> spi::Result<R> {
    let key = key(sql, parameters);
    Spi::connect(|_| {
        let mut statement = match take(&key) {
            Some(statement) => statement,
            None => Statement::prepare(&key)?,
        };
        let done = work(&mut statement);
        if statement.is_as_planned() {
            put(key, statement);
        }
        done
    })
}

fn key(sql: &str, parameters: &[DatumWithOid<'_>]) -> Key {
    // SAFETY: reads a variable of this process.
    #[allow(unsafe_code)]
    let role = unsafe { pg_sys::GetUserId() };
    Key { sql: sql.to_owned(), types: parameters.iter().map(DatumWithOid::oid).collect(), role }
}

/// A statement that outlives its transaction.
struct Statement {
    plan: NonNull<pg_sys::_SPI_plan>,
    /// How often it had been planned when it was planned in shape.
    planned: Option<i32>,
    /// Whether it goes by indexes on the keys that are its first parameters.
    by_keys: bool,
}

#[allow(unsafe_code)]
impl Statement {
    fn prepare(key: &Key) -> spi::Result<Self> {
        let sql = CString::new(key.sql.as_str()).expect("no name of Postgres has a NUL in it");
        let (count, mut types) = (i32::try_from(key.types.len()).unwrap_or(0), key.types.clone());
        let options = i32::try_from(pg_sys::CURSOR_OPT_GENERIC_PLAN).unwrap_or(0);
        // SAFETY: inside of `Spi::connect`; the server copies the text and the types.
        let plan = unsafe { pg_sys::SPI_prepare_cursor(sql.as_ptr(), count, types.as_mut_ptr(), options) };
        let plan = NonNull::new(plan).ok_or(SpiError::NoTupleTable)?;
        // SAFETY: prepared above; no list stands for an empty one.
        let count = unsafe { pg_sys::SPI_plan_get_plan_sources(plan.as_ptr()).as_ref() }
            .map_or(0, |list| list.length);
        if count != 1 {
            ereport!(
                ERROR,
                PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
                format!("{count} statements are given where one is meant")
            );
        }
        // SAFETY: prepared above; from here on it lives until it is freed.
        unsafe { pg_sys::SPI_keepplan(plan.as_ptr()) };
        Ok(Statement { plan, planned: None, by_keys: false })
    }

    /// Plans it, where it is not planned or its plan is no longer right.
    fn plan(&mut self) {
        // SAFETY: inside of `Spi::connect`, a kept plan of one statement. The reference that is counted here is given back.
        unsafe {
            let cached = pg_sys::SPI_plan_get_cached_plan(self.plan.as_ptr());
            if !cached.is_null() {
                pg_sys::ReleaseCachedPlan(cached, pg_sys::CurrentResourceOwner);
            }
        }
        self.planned = Some(self.generation());
    }

    /// The same under the settings of search, where it has no such plan.
    fn shape(&mut self) {
        if !self.is_planned() {
            shaped(|| self.plan());
        }
    }

    /// Its value, where it is nothing but an expression.
    fn compute<T: FromDatum>(&mut self) -> Option<Option<T>> {
        let source = std::ptr::from_ref(self.source()).cast_mut();
        // SAFETY: a kept plan without parameters. The reference that is counted here is given back, by an error too.
        unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            let plan = pg_sys::GetCachedPlan(source, std::ptr::null_mut(), owner, std::ptr::null_mut());
            let value = expression::of(&*plan).map(|expression| expression::value(expression));
            pg_sys::ReleaseCachedPlan(plan, owner);
            value
        }
    }

    /// Whether its plan was made in shape and nothing has changed since.
    fn is_planned(&self) -> bool {
        let source = self.source();
        // SAFETY: a plan that is there belongs to its source.
        let valid = || unsafe { source.gplan.as_ref().is_some_and(|plan| plan.is_valid) };
        self.planned == Some(source.generation) && source.is_valid && valid()
    }

    /// How often it has been planned.
    fn generation(&self) -> i32 {
        self.source().generation
    }

    fn source(&self) -> &pg_sys::CachedPlanSource {
        // SAFETY: a kept plan has a list of one source, which lives as long as it.
        unsafe {
            let sources = pg_sys::SPI_plan_get_plan_sources(self.plan.as_ptr());
            &*(*(*sources).elements).ptr_value.cast::<pg_sys::CachedPlanSource>()
        }
    }

    /// Whether nobody planned it anew behind our back: statistics may come in between planning and running, and then the
    /// settings of the session have shaped it.
    fn is_as_planned(&self) -> bool {
        self.planned.is_none_or(|planned| planned == self.generation())
    }

    fn run<R>(
        &mut self,
        parameters: &[DatumWithOid<'_>],
        mut read: impl FnMut(SpiHeapTupleData<'_>) -> spi::Result<R>,
    ) -> spi::Result<Vec<R>> {
        self.execute(parameters, true)?;
        // SAFETY: inside of `Spi::connect`; the rows are read before the connection ends.
        unsafe {
            let table = pg_sys::SPI_tuptable.as_ref().ok_or(SpiError::NoTupleTable)?;
            let rows = std::slice::from_raw_parts(table.vals, usize::try_from(table.numvals).unwrap_or(0));
            let row = |row: &pg_sys::HeapTuple| SpiHeapTupleData::new(table.tupdesc, *row);
            rows.iter().map(|one| read(row(one)?.ok_or(SpiError::NoTupleTable)?)).collect()
        }
    }

    fn execute(&mut self, parameters: &[DatumWithOid<'_>], read_only: bool) -> spi::Result<()> {
        let mut values = Vec::with_capacity(parameters.len());
        let mut nulls = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let value = parameter.datum();
            nulls.push(if value.is_some() { b' ' } else { b'n' } as std::ffi::c_char);
            values.push(value.map_or(pg_sys::Datum::null(), |value| value.sans_lifetime()));
        }
        // SAFETY: inside of `Spi::connect`, as many values as the statement has parameters, of their types.
        let status = unsafe {
            pg_sys::SPI_execute_plan(self.plan.as_ptr(), values.as_mut_ptr(), nulls.as_ptr(), read_only, 0)
        };
        Spi::check_status(status).map(drop)
    }
}

#[allow(unsafe_code)]
impl Statement {
    /// # Safety
    /// See [`scan`].
    unsafe fn hand_over(
        &mut self,
        parameters: &[DatumWithOid<'_>],
        to: *mut pg_sys::DestReceiver,
    ) -> spi::Result<()> {
        // SAFETY: inside of `Spi::connect`: what is allocated ends with the connection. As many values as the statement has
        // parameters, of their types.
        unsafe {
            let list = pg_sys::makeParamList(i32::try_from(parameters.len()).unwrap_or(0));
            let values = (*list).params.as_mut_slice(parameters.len());
            for (value, parameter) in values.iter_mut().zip(parameters) {
                value.isnull = parameter.datum().is_none();
                value.value = parameter.datum().map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime());
                value.pflags = PARAM_FLAG_CONST;
                value.ptype = parameter.oid();
            }
            let options =
                pg_sys::SPIExecuteOptions { params: list, read_only: true, dest: to, ..Default::default() };
            Spi::check_status(pg_sys::SPI_execute_plan_extended(self.plan.as_ptr(), &options))?;
        }
        Ok(())
    }
}

/// Of Postgres' `nodes/params.h`: the value is the same for the whole statement.
const PARAM_FLAG_CONST: u16 = 1;

impl Drop for Statement {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: kept by `prepare`, freed once.
        unsafe { pg_sys::SPI_freeplan(self.plan.as_ptr()) };
    }
}

fn take(key: &Key) -> Option<Statement> {
    STATEMENTS.with_borrow_mut(|kept| {
        let at = kept.iter().position(|(k, _)| k == key)?;
        Some(kept.remove(at).1)
    })
}

fn put(key: Key, statement: Statement) {
    STATEMENTS.with_borrow_mut(|kept| {
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((key, statement));
    });
}
