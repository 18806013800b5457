//! `plan`: what a run of a pushed pack would do, step by step, without doing anything.

use crate::report::{given, report};
use crate::store::{self, here};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::Error;
use strata_core::order::Order;
use strata_core::plan::Move;

type Line = (i64, String, i32, String, i32, String, String);

/// The steps that would run now, in order.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the result's columns from the type as it is written here"
)]
fn plan(
    pack: Option<&str>,
    target: default!(Option<i64>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(version, i64),
            name!(name, String),
            name!(phase, i32),
            name!(direction, String),
            name!(step, i32),
            name!(kind, String),
            name!(summary, String),
        ),
    >,
    ErrorReport,
> {
    Ok(TableIterator::new(lines(given(pack, "pack")?, target).map_err(report)?))
}

fn lines(pack: &str, target: Option<i64>) -> Result<Vec<Line>, Error> {
    let stored = store::pack(&here, pack)?;
    let state = store::state(&here, pack)?;
    let order = Order::new(&stored, &state.0, target, None)?;
    let moves = store::moves(&stored, &state, order.way())?;
    Ok(moves.iter().flat_map(|moved| steps(moved, &order.direction)).collect())
}

fn steps(moved: &Move, direction: &str) -> Vec<Line> {
    let line = |step: &strata_core::plan::Step| {
        let phase = i32::try_from(moved.phase).unwrap_or(i32::MAX);
        let number = i32::try_from(step.number).unwrap_or(i32::MAX);
        let (name, kind) = (moved.name.clone(), step.kind().to_owned());
        (moved.version, name, phase, direction.to_owned(), number, kind, step.summary.clone())
    };
    moved.steps.iter().map(line).collect()
}
