//! The keys of rows that a store calls otherwise: uuids made of them (`sql/create/row_id.sql`).

use crate::prepared;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use std::collections::HashMap;
use strata_core::search::{KeyType, Ranked};

/// Keys by what their rows are called.
pub struct Named(HashMap<[u8; 16], String>);

/// Those of these rows of each source.
pub fn named(ranked: &Ranked, ids: &[Vec<Uuid>]) -> spi::Result<Named> {
    let Some(sql) = &ranked.named else { return Ok(Named(HashMap::new())) };
    let of = ranked.sources.iter().zip(ids).filter(|(source, _)| source.key_type != KeyType::Uuid);
    let ids: Vec<Uuid> = of.flat_map(|(_, ids)| ids.iter().copied()).collect();
    let mut keys = HashMap::new();
    for (id, key) in
        prepared::search(sql, &[ids.into()], |row| Ok((row[1].value::<Uuid>()?, row[2].value::<String>()?)))?
    {
        keys.extend(id.map(|id| *id.as_bytes()).zip(key));
    }
    Ok(Named(keys))
}

impl Named {
    /// The keys of rows of one source, of its own type; null: none is wanted.
    pub fn keys(&self, of: KeyType, ids: Vec<Uuid>) -> DatumWithOid<'static> {
        let known = || ids.iter().filter_map(|id| self.0.get(id.as_bytes()));
        match of {
            KeyType::Uuid => some(ids).into(),
            KeyType::Number => some(known().filter_map(|key| key.parse::<i64>().ok()).collect()).into(),
            KeyType::Text => some(known().cloned().collect()).into(),
        }
    }
}

fn some<K>(keys: Vec<K>) -> Option<Vec<K>> {
    Some(keys).filter(|keys| !keys.is_empty())
}
