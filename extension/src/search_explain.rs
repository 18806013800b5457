//! `search_explain`: which way each source is searched for a tenant, why, and what it costs. Never tells of foreign rows.

use crate::hits::hits;
use crate::prepared;
use crate::registry::Registry;
use crate::remembered;
use crate::report::{internal, report};
use crate::values::Values;
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
    query_text: default!(Option<&str>, "NULL"),
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
        options: Options { entity_types: entity_types.as_deref(), text: query_text, ..Options::default() },
    };
    let whole = search::plan(&request, &registry.sources, &registry.vector_schema).map_err(report)?;
    let asked = Asked {
        request,
        registry: &registry,
        tenant: registry.tenant(user_id_filter, whole.row_security)?,
        embedding: query_embedding.as_ref(),
    };
    let mut told = Vec::new();
    for source in &registry.sources {
        told.push(asked.tell(source)?);
        told.extend(asked.tell_of_words(source)?);
    }
    Ok(TableIterator::new(told))
}

struct Asked<'a> {
    request: Request<'a>,
    registry: &'a Registry,
    tenant: Uuid,
    embedding: Option<&'a Vector<'a>>,
}

impl Asked<'_> {
    fn tell(&self, source: &Source) -> Result<Told, ErrorReport> {
        if !self.wants(source) {
            return Ok(left_out(source, "it is not in entity_types".to_owned()));
        }
        match source.access {
            _ if !search::by_uuid(source) => {
                Ok(left_out(source, "its keys or tenants are no uuids: call strata.search".to_owned()))
            }
            Access::Readable => self.search(source, &[Some(source.entity_type.clone())]),
            _ => Ok(left_out(source, "the caller may not read it".to_owned())),
        }
    }

    /// How the words of a source are looked up; nothing where no text was given, or the source is left out altogether.
    fn tell_of_words(&self, source: &Source) -> Result<Option<Told>, ErrorReport> {
        let text = self.request.options.text.filter(|text| !text.trim().is_empty());
        let is_searched = self.wants(source) && source.access == Access::Readable && search::by_uuid(source);
        let Some(text) = text.filter(|_| is_searched) else {
            return Ok(None);
        };
        let sql = "select strata.text_index($1)";
        let entity_type = source.entity_type.clone();
        let index: Vec<Option<String>> =
            prepared::select(sql, &[entity_type.clone().into()], |row| row[1].value()).map_err(internal)?;
        let reason = search::words_reason(source, index.first().and_then(Option::as_deref));
        let Some(sql) = search::worded(source, text).map_err(report)? else {
            return Ok(Some(left_out(source, reason)));
        };
        let began = Instant::now();
        let parameters = [self.tenant.into(), text.into()];
        let found: Vec<Option<i64>> =
            prepared::search(&sql, &parameters, |row| row[1].value()).map_err(internal)?;
        let (found, milliseconds) = (found.into_iter().next().flatten(), began.elapsed().as_secs_f64() * 1e3);
        let in_leg = search::leg(self.request.count);
        Ok(Some((
            entity_type,
            "words".to_owned(),
            reason,
            found,
            found.map(|found| found.min(in_leg)),
            Some(milliseconds),
        )))
    }

    fn wants(&self, source: &Source) -> bool {
        let is = |named: &Option<String>| named.as_deref() == Some(source.entity_type.as_str());
        self.request.options.entity_types.is_none_or(|types| types.iter().any(is))
    }

    fn search(&self, source: &Source, named: &[Option<String>]) -> Result<Told, ErrorReport> {
        let options = Options { entity_types: Some(named), ..Options::default() };
        let request = Request { options, ..self.request };
        let plan =
            search::plan(&request, &self.registry.sources, &self.registry.vector_schema).map_err(report)?;
        let embedding = self.embedding.map(|embedding| embedding.parameter(self.registry.vector));
        let began = Instant::now();
        let values = Values {
            embedding,
            question: self.embedding.map(Vector::as_slice),
            tenant: self.tenant.into(),
            organisation: None,
            metadata: None,
            text: None,
            row: None,
        };
        let found = hits::<Uuid>(&plan, &values).map_err(internal)?;
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

fn left_out(source: &Source, reason: String) -> Told {
    (source.entity_type.clone(), "left out".to_owned(), reason, None, None, None)
}

/// An index that leads to the tenant's rows.
fn index(source: &Source) -> spi::Result<Option<String>> {
    let (schema, name) = source.relation.clone();
    let parameters: [DatumWithOid<'_>; 3] = [schema.into(), name.into(), source.tenant.clone().into()];
    let found =
        prepared::select(include_str!("../../sql/query/tenant_index.sql"), &parameters, |row| row[1].value());
    Ok(found?.into_iter().flatten().next())
}
