//! What a search is given, as SQL hands it over: asks core for a plan, and finds out whose rows are meant. Four functions begin
//! so: rows and tenants are named by uuid or by text, and rows are asked for or the way to them.

use crate::caller::known_as;
use crate::hits::hits;
use crate::jsonb::Jsonb;
use crate::key::Key;
use crate::planned;
use crate::remembered;
use crate::report::{internal, report};
use crate::told::{Asked, Told};
use crate::values::{Hit, Values};
use crate::vector::Vector;
use pgrx::pg_sys::panic::ErrorReport;
use strata_core::search::{Near, Options, Request};

/// The arguments of `rag_search`, under the names that core has for them. `I`: what rows and tenants are named by.
pub struct Arguments<'a, I> {
    pub embedding: Option<Vector<'a>>,
    pub tenant: Option<I>,
    pub count: Option<i32>,
    pub days: Option<i32>,
    pub entity_types: Option<Vec<Option<String>>>,
    pub minimum: Option<f64>,
    pub metadata: Option<Jsonb>,
    pub weights: Option<Jsonb>,
    pub diversity: Option<f64>,
    pub text: Option<&'a str>,
    pub text_weight: Option<f64>,
    pub model: Option<&'a str>,
    pub organisation: Option<&'a str>,
}

impl<I: Key> Arguments<'_, I> {
    /// The rows.
    pub fn hits(self) -> Result<Vec<Hit<I>>, ErrorReport> {
        self.asked(|asked, tenant| {
            let caller = if asked.whole.row_security { tenant.caller() } else { None };
            known_as(caller, || hits(asked.whole, &asked.values)).map_err(internal)
        })
    }

    /// Which way they are found.
    pub fn told(self) -> Result<Vec<Told>, ErrorReport> {
        self.asked(|asked, _| asked.told::<I>())
    }

    fn asked<R>(self, work: impl FnOnce(&Asked<'_>, &I) -> Result<R, ErrorReport>) -> Result<R, ErrorReport> {
        let weights =
            self.weights.map(|weights| weights.read("source_weights")).transpose().map_err(report)?;
        let embedding = self.embedding.map(Vector::measurable);
        let registry = remembered::registry().map_err(internal)?;
        let named = I::named(&registry, self.tenant.as_ref()).map_err(internal)?;
        let request = Request {
            near: Near::Embedding(embedding.as_ref().map(Vector::as_slice)),
            count: self.count,
            days: self.days,
            options: Options {
                entity_types: self.entity_types.as_deref(),
                minimum: self.minimum,
                metadata_is_object: self.metadata.as_ref().map(Jsonb::is_object),
                weights: weights.as_ref(),
                diversity: self.diversity,
                text: self.text,
                text_weight: self.text_weight,
                model: self.model,
                tenant: named.as_deref(),
                organisation: self.organisation,
                ids: I::IDS,
            },
        };
        let plan = planned::plan(&request, &registry).map_err(report)?;
        let tenant = I::tenant(&registry, self.tenant.as_ref().map(Key::name), plan.row_security)?;
        let values = Values {
            tenant: tenant.clone().into(),
            organisation: self.organisation,
            embedding: embedding.as_ref().map(|embedding| embedding.parameter(registry.vector)),
            question: embedding.as_ref().map(Vector::as_slice),
            metadata: self.metadata.map(Into::into),
            text: self.text,
            row: None,
        };
        work(&Asked { request, registry: &registry, whole: &plan, values }, &tenant)
    }
}
