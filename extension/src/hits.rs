//! Runs a planned search: binds its arguments, reads its rows, and where the answer is to be diverse, picks among them.

use crate::jsonb::Jsonb;
use crate::prepared;
use crate::ranked;
use crate::registry::Registry;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Argument, Candidate, Diverse, Id, Name, Picker, Plan};

/// A row of the answer, its key of the type `I`: entity_type, entity_id, title, content, similarity, created_at, metadata.
pub type Hit<I> =
    (String, I, Option<String>, Option<String>, Option<f64>, Option<TimestampWithTimeZone>, Jsonb);

/// The values that stay with the door.
pub struct Values<'a> {
    /// query_embedding; none where the search begins at a row.
    pub embedding: Option<DatumWithOid<'a>>,
    /// Its numbers.
    pub question: Option<&'a [f32]>,
    /// Whose rows: a uuid, or a text where ids are texts.
    pub tenant: DatumWithOid<'a>,
    /// organisation_filter.
    pub organisation: Option<&'a str>,
    /// metadata_filter.
    pub metadata: Option<DatumWithOid<'a>>,
    /// query_text.
    pub text: Option<&'a str>,
    /// The row that the search begins at: as the tenant.
    pub row: Option<DatumWithOid<'a>>,
}

/// What rows and tenants can be named by: uuid, or text.
pub trait Key: FromDatum + IntoDatum + Clone {
    /// What core calls it.
    type Name: Name + Default;

    /// As core calls it.
    fn name(&self) -> Self::Name;

    /// Named by a uuid.
    fn of(id: Uuid) -> Self;

    /// As a text, where it is one.
    fn text(&self) -> Option<&str>;

    /// Whose rows: core decides.
    fn tenant(
        registry: &Registry,
        filter: Option<Self::Name>,
        row_security: bool,
    ) -> Result<Self, ErrorReport>;

    /// Who is asking, where that is known to the policies of stores.
    fn caller(&self) -> Option<Uuid>;

    /// An array of them, as a parameter.
    fn array(keys: Vec<Self>) -> DatumWithOid<'static>;
}

impl Key for Uuid {
    type Name = Id;

    fn name(&self) -> Id {
        *self.as_bytes()
    }

    fn of(id: Uuid) -> Self {
        id
    }

    fn text(&self) -> Option<&str> {
        None
    }

    fn tenant(registry: &Registry, filter: Option<Id>, row_security: bool) -> Result<Self, ErrorReport> {
        registry.tenant(filter.map(Uuid::from_bytes), row_security)
    }

    fn caller(&self) -> Option<Uuid> {
        Some(*self)
    }

    fn array(keys: Vec<Self>) -> DatumWithOid<'static> {
        keys.into()
    }
}

impl Key for String {
    type Name = String;

    fn name(&self) -> String {
        self.clone()
    }

    fn of(id: Uuid) -> Self {
        id.to_string()
    }

    fn text(&self) -> Option<&str> {
        Some(self)
    }

    fn tenant(registry: &Registry, filter: Option<String>, row_security: bool) -> Result<Self, ErrorReport> {
        registry.tenant_by_text(filter, row_security)
    }

    /// A caller need not be a uuid. Where they must be one, for the policy of a store, it finds that out by itself.
    fn caller(&self) -> Option<Uuid> {
        None
    }

    fn array(keys: Vec<Self>) -> DatumWithOid<'static> {
        keys.into()
    }
}

/// The rows that a plan finds.
pub fn hits<I: Key>(plan: &Plan, values: &Values<'_>) -> spi::Result<Vec<Hit<I>>> {
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
            if is_short(plan, &parameters, found.len())? { all(plan, parameters) } else { Ok(found) }
        }
        Some(diverse) => {
            let candidates = prepared::search(&plan.sql, &parameters, |row| candidate(&row))?;
            pick(diverse, candidates)
        }
    }
}

/// The rows that are found where all vectors are looked at.
fn all<I: Key>(plan: &Plan, mut parameters: Vec<DatumWithOid<'_>>) -> spi::Result<Vec<Hit<I>>> {
    widen(&plan.arguments, &mut parameters);
    prepared::search(&plan.sql, &parameters, |row| hit(&row))
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

/// The same value once more, for as long as it is there.
pub fn again<'a>(value: &DatumWithOid<'a>) -> DatumWithOid<'a> {
    // SAFETY: value and type as they are.
    #[allow(unsafe_code)]
    unsafe {
        DatumWithOid::new_from_datum(value.datum(), value.oid())
    }
}

/// All vectors are looked at.
fn widen(arguments: &[Argument], parameters: &mut [DatumWithOid<'_>]) {
    let is_candidates = |argument: &Argument| matches!(argument, Argument::Candidates(_));
    if let Some(place) = arguments.iter().position(is_candidates) {
        parameters[place] = i64::MAX.into();
    }
}

/// The values of a statement's parameters. Keys are put in their place by who fetches them.
pub fn bind<'a>(arguments: &[Argument], values: &Values<'a>) -> Vec<DatumWithOid<'a>> {
    let given = |value: &Option<DatumWithOid<'a>>| {
        again(value.as_ref().expect("core plans an embedding, a filter, a row where one was given"))
    };
    let bound = arguments.iter().map(|argument| match argument {
        Argument::Embedding => given(&values.embedding),
        Argument::Tenant => again(&values.tenant),
        Argument::Organisation => values.organisation.into(),
        Argument::Rows(rows) | Argument::Candidates(rows) => (*rows).into(),
        Argument::Days(days) => (*days).into(),
        Argument::Minimum(minimum) => (*minimum).into(),
        Argument::Metadata => given(&values.metadata),
        Argument::Weights(weights) => weights.clone().into(),
        Argument::Text => values.text.into(),
        Argument::TextWeight(weight) => (*weight).into(),
        Argument::Row => given(&values.row),
        Argument::Keys => Vec::<Uuid>::new().into(),
    });
    bound.collect()
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
