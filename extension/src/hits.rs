//! Runs a planned search: binds its arguments, reads its rows, and where the answer is to be diverse, picks among them.

use crate::jsonb::Jsonb;
use crate::prepared;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Argument, Candidate, Diverse, Picker, Plan};

/// A row of the answer: entity_type, entity_id, title, content, similarity, created_at, metadata.
pub type Hit =
    (String, Uuid, Option<String>, Option<String>, Option<f64>, Option<TimestampWithTimeZone>, Jsonb);

/// The values that stay with the door.
pub struct Values<'a> {
    /// query_embedding; none where the search begins at a row.
    pub embedding: Option<DatumWithOid<'a>>,
    /// Whose rows.
    pub tenant: Uuid,
    /// metadata_filter.
    pub metadata: Option<Jsonb>,
    /// query_text.
    pub text: Option<&'a str>,
}

/// The rows that a plan finds.
pub fn hits(plan: &Plan, values: Values<'_>) -> spi::Result<Vec<Hit>> {
    let tenant = values.tenant;
    let mut parameters = bind(&plan.arguments, values);
    match &plan.diverse {
        None => {
            let found = prepared::search(&plan.sql, &parameters, |row| hit(&row))?;
            if !is_short(plan, tenant, found.len())? {
                return Ok(found);
            }
            widen(&plan.arguments, &mut parameters);
            prepared::search(&plan.sql, &parameters, |row| hit(&row))
        }
        Some(diverse) => {
            let candidates = prepared::search(&plan.sql, &parameters, |row| candidate(&row))?;
            pick(diverse, candidates)
        }
    }
}

/// Whether there may be more rows than were found: fewer than were wanted, and more vectors than were looked at.
fn is_short(plan: &Plan, tenant: Uuid, found: usize) -> spi::Result<bool> {
    let Some(deeper) = plan.deeper.as_ref().filter(|deeper| (found as i64) < deeper.rows) else {
        return Ok(false);
    };
    let parameters: [DatumWithOid<'_>; 2] = [tenant.into(), deeper.candidates.into()];
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

fn bind<'a>(arguments: &[Argument], values: Values<'a>) -> Vec<DatumWithOid<'a>> {
    let Values { mut embedding, tenant, mut metadata, text } = values;
    let mut bound = Vec::with_capacity(arguments.len());
    for argument in arguments {
        bound.push(match argument {
            Argument::Embedding => embedding.take().expect("core plans a vector where one was given"),
            Argument::Tenant => tenant.into(),
            Argument::Rows(rows) | Argument::Candidates(rows) => (*rows).into(),
            Argument::Days(days) => (*days).into(),
            Argument::Minimum(minimum) => (*minimum).into(),
            Argument::Metadata => metadata.take().expect("core plans a filter where one was given").into(),
            Argument::Weights(weights) => weights.clone().into(),
            Argument::Text => text.into(),
            Argument::TextWeight(weight) => (*weight).into(),
            Argument::Id(id) => Uuid::from_bytes(*id).into(),
        });
    }
    bound
}

fn hit(row: &SpiHeapTupleData<'_>) -> spi::Result<Hit> {
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

fn candidate(row: &SpiHeapTupleData<'_>) -> spi::Result<Candidate> {
    let id: Uuid = row[2].value()?.expect("the key of a source is joined on, so it is not null");
    Ok(Candidate {
        source: row[1].value()?.unwrap_or_default(),
        id: *id.as_bytes(),
        rank: row[3].value()?,
        relevance: row[4].value()?.unwrap_or(f64::NAN),
        vector: row[5].value()?.unwrap_or_default(),
    })
}

fn pick(diverse: &Diverse, candidates: Vec<Candidate>) -> spi::Result<Vec<Hit>> {
    let mut picker = Picker::new(candidates, diverse.diversity, diverse.rows);
    let (mut sources, mut ids, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(picked) = picker.pick() {
        check_for_interrupts!();
        sources.push(picked.source);
        ids.push(Uuid::from_bytes(picked.id));
        ranks.push(picked.rank);
    }
    prepared::search(&diverse.fetch, &[sources.into(), ids.into(), ranks.into()], |row| hit(&row))
}
