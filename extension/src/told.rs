//! Which way each source is searched for a tenant, why, and what it costs. Never tells of foreign rows.

use crate::hits::looked;
use crate::key::Key;
use crate::prepared;
use crate::registry::Registry;
use crate::report::{internal, report};
use crate::values::{Depth, Values, again};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::time::Instant;
use strata_core::search::{self, Options, Plan, Request, Source};

/// One source: entity_type, way, reason, rows_scanned, rows_found, milliseconds.
pub type Told = (String, String, String, Option<i64>, Option<i64>, Option<f64>);

/// A search that is to be told of: its plan over all sources, and the values of its arguments.
pub struct Asked<'a> {
    pub request: Request<'a>,
    pub registry: &'a Registry,
    pub whole: &'a Plan,
    pub values: Values<'a>,
}

impl Asked<'_> {
    /// A line for each source, and one for its words where a text is looked for. `I`: what rows and tenants are named by.
    pub fn told<I: Key>(&self) -> Result<Vec<Told>, ErrorReport> {
        let mut told = Vec::new();
        for source in &self.registry.sources {
            match search::left_out(&self.request, source) {
                Some(reason) => told.push(left_out(source, reason)),
                None => {
                    told.push(self.search::<I>(source)?);
                    told.extend(self.words(source)?);
                }
            }
        }
        Ok(told)
    }

    /// A search by embedding in this source alone.
    fn search<I: Key>(&self, source: &Source) -> Result<Told, ErrorReport> {
        let named = [Some(source.entity_type.clone())];
        let options =
            Options { entity_types: Some(&named), text: None, diversity: None, ..self.request.options };
        let request = Request { options, ..self.request };
        let mut plan =
            search::part(&request, &self.registry.sources, &self.registry.vector_schema).map_err(report)?;
        // Alone it may go a way that it does not go with the others, or with words.
        if let Some(ranked) = plan.ranked.as_mut().filter(|_| !self.is_by_index()) {
            ranked.by_index = None;
        }
        let began = Instant::now();
        let (found, depth) = looked::<I>(&plan, &self.values).map_err(internal)?;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        let index = index(source).map_err(internal)?;
        let found = i64::try_from(found.len()).ok();
        let told = |way: &str, reason, compared| {
            (source.entity_type.clone(), way.to_owned(), reason, compared, found, Some(milliseconds))
        };
        if depth == Depth::Index {
            return Ok(told("hnsw", search::by_index_reason(source, false), None));
        }
        let mut reason = match depth {
            Depth::PastIndex => search::by_index_reason(source, true),
            _ => search::reason(source, index.as_deref(), self.whole.unranked.as_deref()),
        };
        if depth == Depth::All {
            reason.push_str("; the nearest were not enough, so all of them were looked up");
        }
        let sql = search::compared(source, self.request.options.ids).map_err(report)?;
        let compared = self.count(&sql, None)?;
        Ok(told("exact", reason, compared))
    }

    /// Whether a tenant's own index is asked, where they have one.
    fn is_by_index(&self) -> bool {
        self.whole.ranked.as_ref().is_some_and(|ranked| ranked.by_index.is_some())
    }

    /// How its words are looked up; nothing where no text was given.
    fn words(&self, source: &Source) -> Result<Option<Told>, ErrorReport> {
        let text = self.request.options.text.filter(|text| !text.trim().is_empty());
        let Some(text) = text else { return Ok(None) };
        let entity_type = source.entity_type.clone();
        let sql = "select strata.text_index($1)";
        let index: Vec<Option<String>> =
            prepared::select(sql, &[entity_type.clone().into()], |row| row[1].value()).map_err(internal)?;
        let reason = search::words_reason(source, index.first().and_then(Option::as_deref));
        let Some(sql) = search::worded(source, self.request.options.ids, text).map_err(report)? else {
            return Ok(Some(left_out(source, reason)));
        };
        let began = Instant::now();
        let found = self.count(&sql, Some(text))?;
        let milliseconds = Some(began.elapsed().as_secs_f64() * 1e3);
        let in_leg = found.map(|found| found.min(search::leg(self.request.count)));
        Ok(Some((entity_type, "words".to_owned(), reason, found, in_leg, milliseconds)))
    }

    /// What a statement of the tenant, and a text, counts.
    fn count(&self, sql: &str, text: Option<&str>) -> Result<Option<i64>, ErrorReport> {
        let mut parameters = vec![again(&self.values.tenant)];
        parameters.extend(text.map(DatumWithOid::from));
        let counted = prepared::search(sql, &parameters, |row| row[1].value::<i64>()).map_err(internal)?;
        Ok(counted.into_iter().next().flatten())
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
