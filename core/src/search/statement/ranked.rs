//! A search of a store whose vectors the door ranks: what it reads, and how it fetches the rows of the nearest.

use super::store::candidates;
use super::{Argument, Near, Parameters, Search, content, metadata, title};
use crate::error::Error;
use crate::ident::Ident;
use crate::search::shape::{relation, table};
use crate::search::{Fetch, KeyType, Ranked, Source};

impl Search<'_> {
    /// None where not every source has all its vectors in the store, one a row, or the question is not given as a vector.
    pub fn ranked(&self) -> Result<Option<Ranked>, Error> {
        let in_store = |source: &&Source| source.store.as_ref().is_some_and(|store| !store.chunked);
        let is_given = matches!(self.near, Near::Embedding);
        if !(is_given && self.is_direct() && self.sources.iter().all(in_store)) {
            return Ok(None);
        }
        let Some((store, names)) = self.in_store() else { return Ok(None) };
        let vectors = format!(
            "select s.tenant, s.entity_type, s.entity_id, s.chunk, s.embedding
from {} s
where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) any ({names})",
            table(store)?,
            self.ids.typed(KeyType::Uuid, "$1")
        );
        let mut parameters = Parameters(Vec::new());
        let (keys, tenant) = (parameters.place(Argument::Keys), parameters.place(Argument::Tenant));
        let also = self.conditions(&mut parameters);
        let fetch = |source: &&Source| self.fetch_of(source, (&keys, &tenant), &also(source)?);
        let count = |rows| usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(Some(Ranked {
            vectors,
            sources: self.sources.iter().map(fetch).collect::<Result<_, Error>>()?,
            arguments: parameters.0,
            rows: count(self.rows),
            candidates: count(candidates(self.rows)),
            minimum: self.minimum,
        }))
    }

    fn fetch_of(&self, source: &Source, (keys, tenant): (&str, &str), also: &str) -> Result<Fetch, Error> {
        let [key, created_at] = [Ident::new(&source.key)?, Ident::new(&source.created_at)?];
        let of = |which: &str| {
            Ok::<String, Error>(format!(
                "select t.{key} as id, {} as title, {} as content, t.{created_at}::pg_catalog.timestamptz as created_at,
       {} as metadata
from {} t where t.{key} operator(pg_catalog.=) {which} and {}{also}",
                title(source)?,
                content(&source.content)?,
                metadata(source)?,
                relation(source)?,
                self.ids.of_tenant(source, tenant)?
            ))
        };
        Ok(Fetch {
            entity_type: source.entity_type.clone(),
            together: of(&format!("any ({keys})"))?,
            singly: format!(
                "select f.id, f.title, f.content, f.created_at, f.metadata
from (select pg_catalog.unnest({keys}) as id) k cross join lateral (
{} limit 1
) f",
                of("k.id")?
            ),
        })
    }
}
