//! The way by a large tenant's own index: HNSW over their vectors in a store alone. What it leads to is near, if not surely the
//! nearest; where it leads to fewer rows than are wanted, every vector is compared.

use super::Search;
use crate::error::Error;
use crate::ident::Ident;
use crate::search::{Id, Request, Source, request};

/// How many vectors of an index are looked at, unless the session says otherwise: `strata.ef_search`. Unit: vectors.
/// Calibrated, not derived: docs/decisions/0032.
pub const EF_SEARCH: i64 = 800;

/// pgvector's largest `hnsw.ef_search`: whoever wants more vectors is answered by all of them.
pub const MOST_EF_SEARCH: i64 = 1000;

/// What is read in place of every vector of a tenant who has an index.
#[derive(Clone, Debug, PartialEq)]
pub struct ByIndex {
    /// Tenants who have one.
    tenants: Vec<Id>,
    /// The statement before and behind the tenant, who is written into it: the index is for that tenant alone, and no parameter
    /// leads to it.
    around: (String, String),
    /// Vectors that it hands over at most.
    candidates: i64,
}

impl ByIndex {
    /// None where no tenant has an index, or more is wanted than one leads to.
    /// `vectors`: the statement that reads all, before its conditions.
    pub(super) fn of(search: &Search<'_>, vectors: &str, candidates: i64) -> Result<Option<Self>, Error> {
        let Some((store, names)) = search.in_store().filter(|(store, _)| !store.indexed.is_empty()) else {
            return Ok(None);
        };
        if candidates > MOST_EF_SEARCH {
            return Ok(None);
        }
        let schema = Ident::new(search.vector_schema)?;
        let distance = search.distance_in_store(&format!("$1::pg_catalog.float4[]::{schema}.vector"))?;
        let behind = format!(
            "'::pg_catalog.uuid and s.entity_type operator(pg_catalog.=) any ({names})
order by s.embedding {distance} limit {candidates}"
        );
        let before = format!("{vectors}\nwhere s.tenant operator(pg_catalog.=) '");
        Ok(Some(ByIndex { tenants: store.indexed.clone(), around: (before, behind), candidates }))
    }

    /// The vectors that the index of this tenant leads to, nearest first; none where the tenant has none, or the session wants
    /// none used. $1 float4[] the question. Columns: [`crate::search::STORE_COLUMNS`].
    pub fn vectors(&self, tenant: Id, ef_search: i64) -> Option<String> {
        let (before, behind) = &self.around;
        let is_wanted = ef_search > 0 && self.tenants.contains(&tenant);
        is_wanted.then(|| format!("{before}{}{behind}", request::Uuid(tenant)))
    }

    /// How many vectors are looked at where so many are asked for: what is handed over at least.
    pub fn ef_search(&self, asked: i64) -> i64 {
        asked.max(self.candidates)
    }
}

/// Whether `entity_types` leaves out a source whose vectors are in the same index. It would be searched in vain where they are most of
/// the tenant's; to compare those of the others never takes longer than to compare all.
pub(in crate::search) fn leaves_out(request: &Request<'_>, sources: &[Source]) -> bool {
    let stores = |wanted: bool| {
        sources.iter().filter(move |s| request.wants(s) == wanted).filter_map(|s| s.store.as_ref())
    };
    request.options.entity_types.is_some()
        && stores(false).any(|out| stores(true).any(|store| store.name == out.name))
}

/// Why a source is searched by the tenant's own index; `is_short`: why it is not, after all.
pub fn by_index_reason(source: &Source, is_short: bool) -> String {
    let store = source.store.as_ref().map_or("", |store| store.name.as_str());
    match is_short {
        false => format!("the tenant has an index of their own on strata_vectors.{store}"),
        true => format!(
            "the tenant's own index on strata_vectors.{store} led to fewer rows than are wanted, so every vector is ranked as it is read"
        ),
    }
}
