//! The shapes of sources, in SQL: keys and tenants of several types, and embeddings beside the row, in a table of their
//! own, or in a store. The rows of a source are `t`, its embeddings `v` where they have their own table. Written for any
//! search_path.

use super::{KeyType, Source, Store};
use crate::error::Error;
use crate::ident::{Ident, literal};

/// How rows and tenants are named, in the answer and in the question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// By a uuid: `rag_search`.
    #[default]
    Uuid,
    /// By what is written there: `search`.
    Text,
}

impl Ids {
    /// Whether a source's keys and tenants can be named so.
    pub(super) fn fit(self, source: &Source) -> bool {
        self == Ids::Text || (source.key_type == KeyType::Uuid && source.tenant_type != KeyType::Number)
    }

    /// The key of a row of `t`, as the answer has it.
    pub(super) fn key(self, source: &Source) -> Result<String, Error> {
        Ok(format!("t.{}::{}", Ident::new(&source.key)?, self.name()))
    }

    /// The type that ids have in the answer.
    pub(super) fn name(self) -> &'static str {
        match self {
            Ids::Uuid => "pg_catalog.uuid",
            Ids::Text => "pg_catalog.text",
        }
    }

    /// `t` is the row of that name.
    pub(super) fn is(self, source: &Source, name: &str) -> Result<String, Error> {
        Ok(equal(
            &format!("t.{}", Ident::new(&source.key)?),
            source.key_type,
            &self.typed(source.key_type, name),
        ))
    }

    /// `t` is a row of that tenant.
    pub(super) fn of_tenant(self, source: &Source, tenant: &str) -> Result<String, Error> {
        let value = self.typed(source.tenant_type, tenant);
        Ok(equal(&format!("t.{}", Ident::new(&source.tenant)?), source.tenant_type, &value))
    }

    /// A name as a value of a column's type, so that an index on the column serves it.
    pub(super) fn typed(self, of: KeyType, name: &str) -> String {
        match (self, of) {
            (Ids::Uuid, KeyType::Uuid) | (Ids::Text, KeyType::Text) => name.to_owned(),
            (Ids::Uuid, _) => format!("{name}::pg_catalog.text"),
            (Ids::Text, KeyType::Uuid) => format!("{name}::pg_catalog.uuid"),
            (Ids::Text, KeyType::Number) => format!("{name}::pg_catalog.int8"),
        }
    }
}

/// `t` is a row of that organisation; false where the source has none.
pub(super) fn of_organisation(source: &Source, place: &str) -> Result<String, Error> {
    let Some((column, of)) = &source.organisation else { return Ok("false".to_owned()) };
    Ok(equal(&format!("t.{}", Ident::new(column)?), *of, &Ids::Text.typed(*of, place)))
}

fn equal(column: &str, of: KeyType, value: &str) -> String {
    match of {
        // A varchar has no operator of its own.
        KeyType::Text => format!("{column}::pg_catalog.text operator(pg_catalog.=) {value}"),
        _ => format!("{column} operator(pg_catalog.=) {value}"),
    }
}

/// The table of a source's rows.
pub(super) fn relation(source: &Source) -> Result<String, Error> {
    qualified(&source.relation)
}

/// The rows of a source with their embeddings; `left`: also the rows that have none.
pub(super) fn rows(source: &Source, join: &str) -> Result<String, Error> {
    let relation = relation(source)?;
    let Some(vectors) = &source.vectors else { return Ok(format!("{relation} t")) };
    Ok(format!(
        "{relation} t {join} {} v on v.{} operator(pg_catalog.=) t.{}{}",
        qualified(&vectors.relation)?,
        Ident::new(&vectors.key)?,
        Ident::new(&source.key)?,
        kind("v", source)?
    ))
}

/// The embedding of a row of [`rows`] whose source has no store, a vector.
pub(super) fn own_vector(source: &Source) -> Result<String, Error> {
    let alias = if source.vectors.is_some() { "v" } else { "t" };
    Ok(format!("{alias}.{}", Ident::new(&source.vector)?))
}

/// The embedding of the row with this key, a vector; that of its beginning where a store has several. `key`: a value of the
/// key's type.
pub(super) fn vector_of(source: &Source, key: &str, vector_schema: &str) -> Result<String, Error> {
    if let Some(store) = &source.store {
        return Ok(format!(
            "(select o.embedding::{}.vector from {} o
          where o.entity_type operator(pg_catalog.=) {}::pg_catalog.text and o.entity_id operator(pg_catalog.=) {}
          order by o.chunk limit 1)",
            Ident::new(vector_schema)?,
            table(store)?,
            literal(&source.entity_type),
            id_in_store(source, key)
        ));
    }
    let (relation, column) = match &source.vectors {
        None => (relation(source)?, &source.key),
        Some(vectors) => (qualified(&vectors.relation)?, &vectors.key),
    };
    Ok(format!(
        "(select o.{} from {relation} o where {}{} limit 1)",
        Ident::new(&source.vector)?,
        equal(&format!("o.{}", Ident::new(column)?), source.key_type, key),
        kind("o", source)?
    ))
}

/// How far the row `t` is from the question, by the nearest of its vectors in a store.
pub(super) fn distance_in_store(source: &Source, store: &Store, from_store: &str) -> Result<String, Error> {
    Ok(format!(
        "(select pg_catalog.min(o.embedding {from_store}) from {} o
          where o.entity_type operator(pg_catalog.=) {}::pg_catalog.text and o.entity_id operator(pg_catalog.=) {})",
        table(store)?,
        literal(&source.entity_type),
        id_in_store(source, &format!("t.{}", Ident::new(&source.key)?))
    ))
}

/// What a store calls the row with this key, a value of the key's type: by it where it is a uuid.
fn id_in_store(source: &Source, key: &str) -> String {
    match source.key_type {
        KeyType::Uuid => key.to_owned(),
        _ => format!("strata.row_id({key}::pg_catalog.text)"),
    }
}

/// `t` is the row of `v`, a vector of a store; of other sources too, whose keys need not be of the type.
pub(super) fn is_in_store(source: &Source) -> Result<String, Error> {
    let key = match source.key_type {
        KeyType::Uuid => "v.entity_id".to_owned(),
        KeyType::Text => "v.entity_key".to_owned(),
        KeyType::Number => format!(
            "case when v.entity_type operator(pg_catalog.=) {}::pg_catalog.text then v.entity_key::pg_catalog.int8 end",
            literal(&source.entity_type)
        ),
    };
    Ok(equal(&format!("t.{}", Ident::new(&source.key)?), source.key_type, &key))
}

/// `t` is a row with one of the keys at this place, an array, or with the key of that name.
pub(super) fn has_key(source: &Source, is: &str) -> Result<String, Error> {
    Ok(equal(&format!("t.{}", Ident::new(&source.key)?), source.key_type, is))
}

/// What a store calls the row `t`, and its key where that is no uuid.
pub(super) fn called(source: &Source) -> Result<(String, String), Error> {
    let key = format!("t.{}", Ident::new(&source.key)?);
    let name = match source.key_type {
        KeyType::Uuid => "null::pg_catalog.text".to_owned(),
        _ => format!("{key}::pg_catalog.text"),
    };
    Ok((id_in_store(source, &key), name))
}

/// The table of a store.
pub(super) fn table(store: &Store) -> Result<String, Error> {
    Ok(format!("strata_vectors.{}", Ident::new(&store.name)?))
}

/// Whose embeddings, where a table holds those of several sources.
fn kind(alias: &str, source: &Source) -> Result<String, Error> {
    match source.vectors.as_ref().and_then(|vectors| vectors.entity_type.as_ref()) {
        None => Ok(String::new()),
        Some(column) => Ok(format!(
            " and {alias}.{}::pg_catalog.text operator(pg_catalog.=) {}",
            Ident::new(column)?,
            literal(&source.entity_type)
        )),
    }
}

fn qualified(name: &(String, String)) -> Result<String, Error> {
    Ok(format!("{}.{}", Ident::new(&name.0)?, Ident::new(&name.1)?))
}
