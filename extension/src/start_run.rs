//! `start_run` and `resume_run`: a request for a background worker that turns the run once the caller has committed.

use crate::delegation::{self, Delegate};
use crate::executor::launch;
use crate::jsonb::Jsonb;
use crate::patience;
use crate::push_pack::lock;
use crate::report::{given, report};
use crate::store::{self, here};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{Uuid, pg_sys};
use std::ffi::CStr;
use strata_core::order::{self, Order};
use strata_core::statement::{Row, Statement, Value};
use strata_core::{Error, Kind};

/// Moves a pushed pack in the background, as the calling role, or tries to and undoes it; returns the run.
#[pg_extern(volatile, parallel_unsafe)]
fn start_run(
    pack: Option<&str>,
    target: default!(Option<i64>, "NULL"),
    to_phase: default!(Option<i32>, "NULL"),
    dry_run: default!(Option<bool>, "false"),
    variables: default!(Option<Jsonb>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    let (pack, dry_run) = (given(pack, "pack")?, given(dry_run, "dry_run")?);
    let variables = given(variables, "variables")?.read("variables").map_err(report)?;
    let asked = Asked { target, to_phase: to_phase.map(i64::from), dry_run, variables: &variables };
    let (id, waits, delegate) = queue(pack, &asked).map_err(report)?;
    if waits {
        launch(&id, delegate.map(|delegate| delegate.oid))?;
    }
    uuid(&id)
}

/// The words of a caller.
struct Asked<'a> {
    target: Option<i64>,
    to_phase: Option<i64>,
    dry_run: bool,
    variables: &'a serde_json::Value,
}

/// Lets a run go on that failed, waits, was cancelled, or has lost its executor; as the calling role.
#[pg_extern(volatile, strict, parallel_unsafe)]
fn resume_run(run: Uuid) -> Result<Uuid, ErrorReport> {
    let delegate = requeue(&run.to_string()).map_err(report)?;
    launch(&run.to_string(), delegate.map(|delegate| delegate.oid))?;
    Ok(run)
}

/// The run, whether it waits for a worker (not where there is nothing to do), and as whom it is executed, where that is
/// not the caller.
fn queue(name: &str, asked: &Asked<'_>) -> Result<(String, bool, Option<Delegate>), Error> {
    let mut pack = store::pack(&here, name)?;
    pack.given = order::values(asked.variables)?;
    lock(name)?;
    let state = store::state(&here, name)?;
    let mut order = Order::new(&pack, &state.0, asked.target, asked.to_phase)?;
    order.dry_run = asked.dry_run;
    let delegate = delegation::of(name, &role())?;
    order.search_path = delegate.as_ref().map_or_else(|| setting(c"search_path"), |d| d.search_path.clone());
    order.patience = patience::of_session();
    let nothing = store::is_done(&here, &pack, &state, order.way())?;
    let mut parameters = vec![
        name.into(),
        order.direction.as_str().into(),
        Value::Json(order.json()),
        delegate.as_ref().map_or_else(role, |d| d.role.clone()).as_str().into(),
    ];
    let query = match order.dry_run {
        true => include_str!("../../sql/query/dry_run_queue.sql"),
        false => {
            parameters.push(Value::Bool(nothing));
            include_str!("../../sql/query/queue_run.sql")
        }
    };
    let rows = state_statement(query, parameters)?;
    let id = rows.first().and_then(|row| cell(row, 0)).unwrap_or_default();
    Ok((id, order.dry_run || !nothing, delegate))
}

fn requeue(run: &str) -> Result<Option<Delegate>, Error> {
    let found = state_statement(include_str!("../../sql/query/resumable.sql"), vec![run.into()])?;
    let Some(row) = found.first() else {
        return Err(
            Error::new(Kind::NotFound, format!("run {run} does not exist")).hint("look into strata.run")
        );
    };
    let [pack, direction, state, newest] = [0, 1, 2, 3].map(|column| cell(row, column).unwrap_or_default());
    if state == "succeeded" {
        let message = format!("run {run} has succeeded: nothing is left of it");
        return Err(Error::new(Kind::BadArgument, message)
            .with_sqlstate("55000")
            .hint("strata.start_run begins another"));
    }
    if newest != "true" {
        let message = format!("run {run} is not the newest of pack {pack}");
        return Err(Error::new(Kind::BadArgument, message).with_sqlstate("55000").hint(format!(
            "select id, state from strata.run where pack = '{pack}' order by requested_at desc"
        )));
    }
    store::pack(&here, &pack)?;
    lock(&pack)?;
    let delegate = delegation::of(&pack, &role())?;
    let request = Order::read(&cell(row, 4).unwrap_or_default())?;
    let mut order = if request.direction.is_empty() { of_command_line(request, direction) } else { request };
    if let Some(delegate) = &delegate {
        order.search_path.clone_from(&delegate.search_path);
    }
    order.patience = patience::of_session();
    let parameters = vec![run.into(), Value::Json(order.json())];
    state_statement(include_str!("../../sql/query/requeue_run.sql"), parameters)?;
    Ok(delegate)
}

/// A run that the command line began: as far as it was asked for there, on the caller's search path.
fn of_command_line(request: Order, direction: String) -> Order {
    Order { direction, search_path: setting(c"search_path"), ..request }
}

fn state_statement(sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, Error> {
    here(&Statement::ours(sql, parameters)).map_err(|cause| Error::failed("writing the state", cause))
}

fn cell(row: &Row, column: usize) -> Option<String> {
    row.get(column).cloned().flatten()
}

fn uuid(text: &str) -> Result<Uuid, ErrorReport> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16)
        .map_err(|_| report(Error::new(Kind::BadData, format!("\"{text}\" is not the id of a run"))))?;
    Ok(Uuid::from_bytes(number.to_be_bytes()))
}

/// The caller's value of a parameter.
#[allow(unsafe_code)]
fn setting(name: &CStr) -> String {
    // SAFETY: a C string in the current memory context.
    unsafe {
        let value = pg_sys::GetConfigOptionByName(name.as_ptr(), std::ptr::null_mut(), false);
        CStr::from_ptr(value).to_string_lossy().into_owned()
    }
}

/// The role that calls: `set role` counts.
#[allow(unsafe_code)]
pub fn role() -> String {
    // SAFETY: as above.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetUserId(), false);
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}
