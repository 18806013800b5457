//! Runs a planned search: binds its arguments, reads its rows, and where the answer is to be diverse, picks among them.

use crate::key::Key;
use crate::prepared;
use crate::ranked;
use crate::values::{Depth, Hit, Values, again, bind};
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Argument, Candidate, Diverse, Picker, Plan};

/// The rows that a plan finds.
pub fn hits<I: Key>(plan: &Plan, values: &Values<'_>) -> spi::Result<Vec<Hit<I>>> {
    looked(plan, values).map(|(found, _)| found)
}

/// The rows that a plan finds, and how far it had to look.
pub fn looked<I: Key>(plan: &Plan, values: &Values<'_>) -> spi::Result<(Vec<Hit<I>>, Depth)> {
    if let Some(ranked) = &plan.ranked {
        return match ranked::hits(ranked, values)? {
            Some(found) => Ok(found),
            None => all(plan, bind(&plan.arguments, values)),
        };
    }
    let parameters = bind(&plan.arguments, values);
    match &plan.diverse {
        None => {
            let found = prepared::search(&plan.sql, &parameters, |row| hit(&row))?;
            let is_short = is_short(plan, &parameters, found.len())?;
            if is_short { all(plan, parameters) } else { Ok((found, Depth::Nearest)) }
        }
        Some(diverse) => {
            let candidates = prepared::search(&plan.sql, &parameters, |row| candidate(&row))?;
            Ok((pick(diverse, candidates)?, Depth::Nearest))
        }
    }
}

/// The rows that are found where all vectors are looked at.
fn all<I: Key>(plan: &Plan, mut parameters: Vec<DatumWithOid<'_>>) -> spi::Result<(Vec<Hit<I>>, Depth)> {
    widen(&plan.arguments, &mut parameters);
    Ok((prepared::search(&plan.sql, &parameters, |row| hit(&row))?, Depth::All))
}

/// Whether there may be more rows than were found: fewer than were wanted, and more vectors than were looked at.
fn is_short(plan: &Plan, parameters: &[DatumWithOid<'_>], found: usize) -> spi::Result<bool> {
    let Some(deeper) = plan.deeper.as_ref().filter(|deeper| (found as i64) < deeper.rows) else {
        return Ok(false);
    };
    let place = plan.arguments.iter().position(|argument| *argument == Argument::Tenant);
    let tenant = &parameters[place.expect("a search of one tenant names them")];
    let parameters = [again(tenant), deeper.candidates.into()];
    let more = prepared::search(&deeper.more, &parameters, |row| row[1].value::<bool>())?;
    Ok(more.contains(&Some(true)))
}

/// All vectors are looked at.
fn widen(arguments: &[Argument], parameters: &mut [DatumWithOid<'_>]) {
    let is_candidates = |argument: &Argument| matches!(argument, Argument::Candidates(_));
    if let Some(place) = arguments.iter().position(is_candidates) {
        parameters[place] = i64::MAX.into();
    }
}

fn hit<I: Key>(row: &SpiHeapTupleData<'_>) -> spi::Result<Hit<I>> {
    let cell = |n: usize| &row[n];
    Ok((
        cell(1).value()?.unwrap_or_default(),
        cell(2).value()?.expect("the key of a source is unique and joined on, so it is not null"),
        cell(3).value()?,
        cell(4).value()?,
        cell(5).value()?,
        cell(6).value()?,
        cell(7).value()?.expect("jsonb_build_object never answers null"),
    ))
}

fn candidate<I: Key>(row: &SpiHeapTupleData<'_>) -> spi::Result<Candidate<I>> {
    let id: I = row[2].value()?.expect("the key of a source is joined on, so it is not null");
    Ok(Candidate {
        source: row[1].value()?.unwrap_or_default(),
        id,
        rank: row[3].value()?,
        relevance: row[4].value()?.unwrap_or(f64::NAN),
        vector: row[5].value()?.unwrap_or_default(),
    })
}

fn pick<I: Key>(diverse: &Diverse, candidates: Vec<Candidate<I>>) -> spi::Result<Vec<Hit<I>>> {
    let mut picker = Picker::new(candidates, diverse.diversity, diverse.rows);
    let (mut sources, mut ids, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(picked) = picker.pick() {
        check_for_interrupts!();
        sources.push(picked.source);
        ids.push(picked.id);
        ranks.push(picked.rank);
    }
    prepared::search(&diverse.fetch, &[sources.into(), I::array(ids), ranks.into()], |row| hit(&row))
}
