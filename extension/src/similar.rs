//! A search that begins at a row: finds the row, then what is like it. Rows are named by uuid or by text.

use crate::caller::known_as;
use crate::hits::hits;
use crate::key::Key;
use crate::prepared::select;
use crate::registry::Registry;
use crate::remembered;
use crate::report::{internal, report};
use crate::values::{Hit, Values};
use pgrx::pg_sys::panic::ErrorReport;
use strata_core::search::{self, Near, Options, Request, Source};
use strata_core::{Error, Kind};

/// The rows most like one row, over all sources of its model, best first.
pub fn similar<I: Key>(
    entity_type: Option<String>,
    id: Option<I>,
    minimum: Option<f64>,
    count: Option<i32>,
) -> Result<Vec<Hit<I>>, ErrorReport> {
    let entity_type = given("input_entity_type", entity_type)?;
    let id = given("input_entity_id", id)?;
    let registry = remembered::registry().map_err(internal)?;
    let begin = Begin::at(&registry, &entity_type, &id)?;
    let sources: Vec<Source> =
        registry.sources.iter().filter(|source| source.model == begin.source.model).cloned().collect();
    let named = begin.tenant.text();
    let options = Options { minimum, ids: I::IDS, tenant: named, ..Options::default() };
    let request = Request { near: Near::Row(&entity_type), count, days: None, options };
    let plan = search::plan(&request, &sources, &registry.vector_schema).map_err(report)?;
    // Under row level security a row may be shown to others than its tenant: the caller's own rows are searched.
    let of = (!plan.row_security).then(|| begin.tenant.name());
    let tenant = I::tenant(&registry, of, plan.row_security)?;
    let caller = if plan.row_security { tenant.caller() } else { None };
    let values = Values {
        embedding: None,
        question: Some(&begin.vector),
        tenant: tenant.into(),
        organisation: None,
        metadata: None,
        text: None,
        row: Some(id.into()),
    };
    known_as(caller, || hits(&plan, &values)).map_err(internal)
}

fn given<T>(name: &str, value: Option<T>) -> Result<T, ErrorReport> {
    let null = || Error::new(Kind::BadArgument, format!("{name} must not be null")).with_sqlstate("22004");
    value.ok_or_else(|| report(null()))
}

/// The row that a search begins at.
struct Begin<'r, I> {
    source: &'r Source,
    tenant: I,
    vector: Vec<f32>,
}

impl<'r, I: Key> Begin<'r, I> {
    fn at(registry: &'r Registry, entity_type: &str, id: &I) -> Result<Self, ErrorReport> {
        let (source, sql) =
            search::begin((entity_type, id.text()), &registry.sources, &registry.vector_schema)
                .map_err(report)?;
        let rows = select(&sql, &[id.clone().into()], |row| {
            let tenant: Option<I> = row[1].value()?;
            let name = tenant.as_ref().map(Key::name).unwrap_or_default();
            Ok((tenant, name, row[2].value::<f64>()?, row[3].value::<Vec<f32>>()?))
        });
        let row = rows.map_err(internal)?.into_iter().next();
        let (mut begins, mut vector) = (None, None);
        let row = row.map(|(tenant, name, norm, of)| {
            (begins, vector) = (tenant, of);
            (name, norm)
        });
        search::can_begin(entity_type, &id.name(), row).map_err(report)?;
        let nobody =
            || Error::new(Kind::NotFound, format!("{entity_type} has no tenant")).with_sqlstate("55000");
        let tenant = begins.ok_or_else(|| report(nobody()))?;
        Ok(Begin { source, tenant, vector: vector.unwrap_or_default() })
    }
}
