//! `search`: `rag_search` for sources whose keys or tenants are no uuids. Rows, tenants and organisations are named by text.

use crate::caller::known_as;
use crate::hits::hits;
use crate::jsonb::Jsonb;
use crate::remembered;
use crate::report::{internal, report};
use crate::values::Values;
use crate::vector::Vector;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::search::{Ids, Near, Options, Request, plan};

/// The rows of one tenant nearest to an embedding, and to a text where one is given, over all sources, best first;
/// keys and tenants of any type, by what is written there.
#[pg_extern(stable, parallel_safe)]
#[allow(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "pgrx reads the arguments and the columns of the result from the types as they are written here"
)]
fn search(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<String>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
    entity_types: default!(Option<Vec<Option<String>>>, "NULL"),
    minimum_similarity: default!(Option<f64>, "NULL"),
    metadata_filter: default!(Option<Jsonb>, "NULL"),
    source_weights: default!(Option<Jsonb>, "NULL"),
    diversity: default!(Option<f64>, "NULL"),
    query_text: default!(Option<&str>, "NULL"),
    text_weight: default!(Option<f64>, 0.5),
    embedding_model: default!(Option<&str>, "NULL"),
    organisation_filter: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(entity_id, String),
            name!(title, Option<String>),
            name!(content, Option<String>),
            name!(similarity, Option<f64>),
            name!(created_at, Option<TimestampWithTimeZone>),
            name!(metadata, Jsonb),
        ),
    >,
    ErrorReport,
> {
    let query_embedding = query_embedding.map(Vector::measurable);
    let registry = remembered::registry().map_err(internal)?;
    let caller = match user_id_filter {
        Some(_) => None,
        None => registry.caller_by_text().map_err(internal)?,
    };
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
            text_weight,
            model: embedding_model,
            tenant: user_id_filter.as_deref().or(caller.as_deref()),
            organisation: organisation_filter,
            ids: Ids::Text,
        },
    };
    let plan = plan(&request, &registry.sources, &registry.vector_schema).map_err(report)?;
    let values = Values {
        tenant: registry.tenant_by_text(user_id_filter, plan.row_security)?.into(),
        organisation: organisation_filter,
        embedding: query_embedding.as_ref().map(|embedding| embedding.parameter(registry.vector)),
        question: query_embedding.as_ref().map(Vector::as_slice),
        metadata: metadata_filter.map(Into::into),
        text: query_text,
        row: None,
    };
    // A caller need not be a uuid. Where they must be one, for the policy of a store, it finds that out by itself.
    let found = known_as(None, || hits(&plan, &values)).map_err(internal)?;
    Ok(TableIterator::new(found))
}
