//! `search_explain`: which way `rag_search` goes in each source for a tenant, why, and what it costs. Decides nothing.

use crate::jsonb::Jsonb;
use crate::remembered;
use crate::report::{internal, report};
use crate::told::Asked;
use crate::values::Values;
use crate::vector::Vector;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::search::{Ids, Near, Options, Request, plan};

/// Each source with the way it is searched, why, the tenant's rows that are compared, those that are found, and the time.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "pgrx reads the arguments and the columns of the result from the types as they are written here"
)]
fn search_explain(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<Uuid>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
    entity_types: default!(Option<Vec<Option<String>>>, "NULL"),
    query_text: default!(Option<&str>, "NULL"),
    minimum_similarity: default!(Option<f64>, "NULL"),
    metadata_filter: default!(Option<Jsonb>, "NULL"),
    source_weights: default!(Option<Jsonb>, "NULL"),
    diversity: default!(Option<f64>, "NULL"),
    organisation_filter: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(way, String),
            name!(reason, String),
            name!(rows_scanned, Option<i64>),
            name!(rows_found, Option<i64>),
            name!(milliseconds, Option<f64>),
        ),
    >,
    ErrorReport,
> {
    let registry = remembered::registry().map_err(internal)?;
    let weights = source_weights.map(|weights| weights.read("source_weights")).transpose().map_err(report)?;
    let request = Request {
        near: Near::Embedding(query_embedding.as_ref().map(Vector::as_slice)),
        count: match_count,
        days: date_range_days,
        options: Options {
            entity_types: entity_types.as_deref(),
            minimum: minimum_similarity,
            metadata_is_object: metadata_filter.as_ref().map(Jsonb::is_object),
            weights: weights.as_ref(),
            diversity,
            text: query_text,
            organisation: organisation_filter,
            ids: Ids::Uuid,
            tenant: None,
            ..Options::default()
        },
    };
    let whole = plan(&request, &registry.sources, &registry.vector_schema).map_err(report)?;
    let values = Values {
        tenant: registry.tenant(user_id_filter, whole.row_security)?.into(),
        organisation: organisation_filter,
        embedding: query_embedding.as_ref().map(|embedding| embedding.parameter(registry.vector)),
        question: query_embedding.as_ref().map(Vector::as_slice),
        metadata: metadata_filter.map(Into::into),
        text: query_text,
        row: None,
    };
    let asked = Asked { request, registry: &registry, whole: &whole, values };
    asked.told::<Uuid>().map(TableIterator::new)
}
