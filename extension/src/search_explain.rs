//! `search_explain`: which way each source is searched for a tenant, why, and what it costs. Never tells of foreign rows.

use crate::hits::{Values, hits};
use crate::prepared;
use crate::registry::Registry;
use crate::remembered;
use crate::report::{internal, report};
use crate::vector::Vector;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::time::Instant;
use strata_core::search::{self, Access, Near, Options, Request, Source};

/// One source: entity_type, way, reason, rows_scanned, rows_found, milliseconds.
type Told = (String, String, String, Option<i64>, Option<i64>, Option<f64>);

/// Each source with the way it is searched, why, the tenant's rows that are compared, those that are found, and the time.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the columns of the result from the type as it is written here"
)]
fn search_explain(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<Uuid>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
    entity_types: default!(Option<Vec<Option<String>>>, "NULL"),
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
    let request = Request {
        near: Near::Embedding(query_embedding.as_ref().map(Vector::as_slice)),
        count: match_count,
        days: date_range_days,
        options: Options { entity_types: entity_types.as_deref(), ..Options::default() },
    };
    let whole = search::plan(&request, &registry.sources, &registry.vector_schema).map_err(report)?;
    let asked = Asked {
        request,
        registry: &registry,
        tenant: registry.tenant(user_id_filter, whole.row_security)?,
        embedding: query_embedding.as_ref(),
    };
    let told: Result<Vec<Told>, ErrorReport> =
        registry.sources.iter().map(|source| asked.tell(source)).collect();
    Ok(TableIterator::new(told?))
}

struct Asked<'a> {
    request: Request<'a>,
    registry: &'a Registry,
    tenant: Uuid,
    embedding: Option<&'a Vector<'a>>,
}

impl Asked<'_> {
    fn tell(&self, source: &Source) -> Result<Told, ErrorReport> {
        let left_out = |reason: &str| {
            Ok((source.entity_type.clone(), "left out".to_owned(), reason.to_owned(), None, None, None))
        };
        let named = [Some(source.entity_type.clone())];
        let wanted = self.request.options.entity_types.is_none_or(|types| types.contains(&named[0]));
        match source.access {
            _ if !wanted => left_out("it is not in entity_types"),
            Access::Readable => self.search(source, &named),
            _ => left_out("the caller may not read it"),
        }
    }

    fn search(&self, source: &Source, named: &[Option<String>]) -> Result<Told, ErrorReport> {
        let options = Options { entity_types: Some(named), ..Options::default() };
        let request = Request { options, ..self.request };
        let plan =
            search::plan(&request, &self.registry.sources, &self.registry.vector_schema).map_err(report)?;
        let embedding = self.embedding.map(|embedding| embedding.parameter(self.registry.vector));
        let began = Instant::now();
        let found =
            hits(&plan, Values { embedding, tenant: self.tenant, metadata: None }).map_err(internal)?;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        let sql = search::compared(source).map_err(report)?;
        let compared =
            prepared::search(&sql, &[self.tenant.into()], |row| row[1].value()).map_err(internal)?;
        let index = index(source).map_err(internal)?;
        Ok((
            source.entity_type.clone(),
            "exact".to_owned(),
            search::reason(source, index.as_deref()),
            compared.into_iter().next().flatten(),
            i64::try_from(found.len()).ok(),
            Some(milliseconds),
        ))
    }
}

/// An index that leads to the tenant's rows.
fn index(source: &Source) -> spi::Result<Option<String>> {
    let (schema, name) = source.relation.clone();
    let parameters: [DatumWithOid<'_>; 3] = [schema.into(), name.into(), source.tenant.clone().into()];
    let found =
        prepared::select(include_str!("../../sql/query/tenant_index.sql"), &parameters, |row| row[1].value());
    Ok(found?.into_iter().flatten().next())
}
