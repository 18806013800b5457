//! What a search is given and what it answers, as the statements take and give it.

use crate::jsonb::Jsonb;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use strata_core::search::Argument;

/// A row of the answer, its key of the type `I`: entity_type, entity_id, title, content, similarity, created_at, metadata.
pub type Hit<I> =
    (String, I, Option<String>, Option<String>, Option<f64>, Option<TimestampWithTimeZone>, Jsonb);

/// How far a search of a store had to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Depth {
    /// The tenant's own index led to enough.
    Index,
    /// The nearest were enough, or there were no others.
    Nearest,
    /// The same, after the tenant's own index had led to too few.
    PastIndex,
    /// Too few of the nearest were to be seen, or they were parts of too few rows: all were looked up.
    All,
}

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

/// The same value once more, for as long as it is there.
pub fn again<'a>(value: &DatumWithOid<'a>) -> DatumWithOid<'a> {
    // SAFETY: value and type as they are.
    #[allow(unsafe_code)]
    unsafe {
        DatumWithOid::new_from_datum(value.datum(), value.oid())
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
