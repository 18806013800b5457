//! A search of a store: its vectors are ranked here as the executor reads them, row level security and all; then the rows
//! of the nearest are fetched.

use crate::hits::{Hit, Key, Values, again, bind};
use crate::jsonb::Jsonb;
use crate::prepared;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Fetch, Place, Ranked};

mod reader;
use reader::nearest;

/// The rows that are found; none where too many of the nearest may not be seen, and others were left out for them.
pub fn hits<I: Key>(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Option<Vec<Hit<I>>>> {
    let nearest = nearest(ranked, values)?;
    let is_all = nearest.is_all();
    let places = nearest.sorted();
    let (first, others) = places.split_at(ranked.rows.min(places.len()));
    let parameters = bind(&ranked.arguments, values);
    let mut found = fetch(ranked, &parameters, first)?;
    if found.len() < ranked.rows && !others.is_empty() {
        found.extend(fetch(ranked, &parameters, others)?);
        found.truncate(ranked.rows);
    }
    Ok((is_all || found.len() == ranked.rows).then_some(found))
}

/// Those of these rows that may be seen, in their order.
fn fetch<I: Key>(
    ranked: &Ranked,
    parameters: &[DatumWithOid<'_>],
    places: &[Place],
) -> spi::Result<Vec<Hit<I>>> {
    let mut found: Vec<Option<Hit<I>>> = places.iter().map(|_| None).collect();
    for (number, source) in ranked.sources.iter().enumerate() {
        let mut own: Vec<usize> = (0..places.len()).filter(|n| places[*n].source == number).collect();
        own.sort_unstable_by_key(|n| places[*n].id);
        let keys: Vec<Uuid> = own.iter().map(|n| Uuid::from_bytes(places[*n].id)).collect();
        if keys.is_empty() {
            continue;
        }
        for row in rows(source, keys, parameters)? {
            let place = own.binary_search_by_key(&row.id.as_bytes(), |n| &places[*n].id);
            if let Some(n) = place.ok().map(|place| own[place]) {
                found[n].get_or_insert_with(|| row.hit(source, places[n].rank));
            }
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// What the statements of a source answer.
struct Row {
    id: Uuid,
    title: Option<String>,
    content: Option<String>,
    created_at: Option<TimestampWithTimeZone>,
    metadata: Jsonb,
}

fn rows(source: &Fetch, keys: Vec<Uuid>, parameters: &[DatumWithOid<'_>]) -> spi::Result<Vec<Row>> {
    let mut parameters: Vec<DatumWithOid<'_>> = parameters.iter().map(again).collect();
    parameters[0] = keys.into();
    if let Some(rows) = prepared::by_keys(&source.together, &parameters, |row| Row::read(&row))? {
        return Ok(rows);
    }
    prepared::search(&source.singly, &parameters, |row| Row::read(&row))
}

impl Row {
    fn read(row: &SpiHeapTupleData<'_>) -> spi::Result<Row> {
        Ok(Row {
            id: row[1].value()?.expect("it was looked up by its key"),
            title: row[2].value()?,
            content: row[3].value()?,
            created_at: row[4].value()?,
            metadata: row[5].value()?.expect("jsonb_build_object never answers null"),
        })
    }

    fn hit<I: Key>(self, source: &Fetch, rank: f64) -> Hit<I> {
        let similarity = Some(0.0 - rank);
        let id = I::of(self.id);
        (source.entity_type.clone(), id, self.title, self.content, similarity, self.created_at, self.metadata)
    }
}
