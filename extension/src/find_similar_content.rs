//! `find_similar_content`: a search that begins at a row instead of a vector.

use crate::caller::known_as;
use crate::hits::{Values, hits};
use crate::jsonb::Jsonb;
use crate::prepared::select;
use crate::registry::Registry;
use crate::remembered;
use crate::report::{internal, report};
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::search::{self, Id, Near, Options, Request, Source};
use strata_core::{Error, Kind};

/// The rows that are most like one row, itself left out, over all sources of its model, best first.
#[pg_extern(stable, parallel_safe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the columns of the result from the type as it is written here"
)]
fn find_similar_content(
    input_entity_type: Option<String>,
    input_entity_id: Option<Uuid>,
    similarity_threshold: default!(Option<f64>, 0.7),
    max_results: default!(Option<i32>, 10),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(entity_id, Uuid),
            name!(title, Option<String>),
            name!(content, Option<String>),
            name!(similarity, Option<f64>),
            name!(created_at, Option<TimestampWithTimeZone>),
            name!(metadata, Jsonb),
        ),
    >,
    ErrorReport,
> {
    let entity_type = given("input_entity_type", input_entity_type)?;
    let id = *given("input_entity_id", input_entity_id)?.as_bytes();
    let registry = remembered::registry().map_err(internal)?;
    let begin = Begin::at(&registry, &entity_type, id)?;
    let sources: Vec<Source> =
        registry.sources.iter().filter(|source| source.model == begin.source.model).cloned().collect();
    let options = Options { minimum: similarity_threshold, ..Options::default() };
    let request = Request { near: Near::Row(&entity_type, id), count: max_results, days: None, options };
    let plan = search::plan(&request, &sources, &registry.vector_schema).map_err(report)?;
    // Under row level security a row may be shown to others than its tenant: the caller's own rows are searched.
    let of = (!plan.row_security).then_some(begin.tenant);
    let tenant = registry.tenant(of, plan.row_security)?;
    let values = Values { tenant, embedding: None, metadata: None, text: None };
    let caller = plan.row_security.then_some(tenant);
    let found = known_as(caller, || hits(&plan, values)).map_err(internal)?;
    Ok(TableIterator::new(found))
}

fn given<T>(name: &str, value: Option<T>) -> Result<T, ErrorReport> {
    let null = || Error::new(Kind::BadArgument, format!("{name} must not be null")).with_sqlstate("22004");
    value.ok_or_else(|| report(null()))
}

/// The row that a search begins at.
struct Begin<'r> {
    source: &'r Source,
    tenant: Uuid,
}

impl<'r> Begin<'r> {
    fn at(registry: &'r Registry, entity_type: &str, id: Id) -> Result<Self, ErrorReport> {
        let (source, sql) =
            search::begin(entity_type, &registry.sources, &registry.vector_schema).map_err(report)?;
        let rows = select(&sql, &[Uuid::from_bytes(id).into()], |row| {
            let tenant: Option<Uuid> = row[1].value()?;
            Ok((tenant.map_or([0; 16], |tenant| *tenant.as_bytes()), row[2].value::<f64>()?))
        });
        let row = rows.map_err(internal)?.into_iter().next();
        let tenant = search::can_begin(entity_type, id, row).map_err(report)?;
        Ok(Begin { source, tenant: Uuid::from_bytes(tenant) })
    }
}
