//! The sources as the caller sees them, and who the caller is: what core asks to know before it plans a search.

use crate::prepared::{select, value};
use crate::report::{internal, report};
use pgrx::Uuid;
use pgrx::pg_sys::Oid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{self, Access, Hidden, KeyType, Name, Source, Store, Vectors, Words};

/// What is registered, and the oid and the schema of pgvector's type.
pub struct Registry {
    /// In the order in which equally similar rows are returned.
    pub sources: Vec<Source>,
    /// The type `vector`.
    pub vector: Oid,
    /// Where pgvector lives.
    pub vector_schema: String,
    /// Whether the caller may call Supabase's `auth.uid()`.
    pub auth_uid: bool,
    /// The relations that all of it was read from.
    pub read_from: Vec<Oid>,
}

impl Registry {
    /// Reads it. [`crate::remembered`] keeps it for the next call.
    pub fn read() -> spi::Result<Registry> {
        let mut registry = Registry {
            sources: Vec::new(),
            vector: Oid::INVALID,
            vector_schema: String::new(),
            auth_uid: false,
            read_from: Vec::new(),
        };
        select(include_str!("../../sql/query/search_sources.sql"), &[], |row| {
            registry.sources.push(source(&row)?);
            registry.vector = required(&row, "vector")?;
            registry.vector_schema = required(&row, "vector_schema")?;
            registry.read_from.extend(required::<Vec<Oid>>(&row, "read_from")?);
            Ok(())
        })?;
        let has_auth_uid = include_str!("../../sql/query/has_auth_uid.sql");
        registry.auth_uid = select(has_auth_uid, &[], |row| row[1].value())?.contains(&Some(true));
        Ok(registry)
    }

    /// Whether nothing is missing or does not fit: what would mend it cannot be foreseen.
    pub fn is_whole(&self) -> bool {
        let usable = |source: &Source| {
            let has_words = source.words.as_ref().is_none_or(|words| words.config.is_some());
            has_words && matches!(source.access, Access::Readable | Access::Denied)
        };
        !self.sources.is_empty() && self.sources.iter().all(usable)
    }

    /// Whose rows: core decides, from the argument and, where row level security is at work, from who is asking.
    pub fn tenant(&self, filter: Option<Uuid>, row_security: bool) -> Result<Uuid, ErrorReport> {
        let caller = if row_security { self.caller().map_err(internal)? } else { None };
        let bytes = |id: Uuid| *id.as_bytes();
        decided(filter.map(bytes), row_security, caller.map(bytes)).map(Uuid::from_bytes)
    }

    /// The same where tenants are named by text.
    pub fn tenant_by_text(&self, filter: Option<String>, row_security: bool) -> Result<String, ErrorReport> {
        let caller = if row_security { self.caller_by_text().map_err(internal)? } else { None };
        decided(filter, row_security, caller)
    }

    /// The subject of the request's claims, which need be no uuid; else whom `auth.uid()` names.
    pub fn caller_by_text(&self) -> spi::Result<Option<String>> {
        let sql = include_str!("../../sql/query/caller_by_text.sql");
        match value(sql)? {
            Some(subject) => Ok(Some(subject)),
            None => Ok(self.caller()?.map(|id| id.to_string())),
        }
    }

    /// Supabase's `auth.uid()` where it is, else the subject of the request's claims.
    pub fn caller(&self) -> spi::Result<Option<Uuid>> {
        let sql = match self.auth_uid {
            true => "select auth.uid()",
            false => include_str!("../../sql/query/caller.sql"),
        };
        value(sql)
    }
}

fn decided<N: Name>(filter: Option<N>, row_security: bool, caller: Option<N>) -> Result<N, ErrorReport> {
    search::tenant(filter, row_security, caller).map_err(report)
}

fn source(row: &SpiHeapTupleData<'_>) -> spi::Result<Source> {
    let text = |column| required::<String>(row, column);
    let access = access(row)?;
    let hidden: Option<String> = row["hidden_column"].value()?;
    let words: Option<String> = row["text_search_config"].value()?;
    let config = row["config"].value()?;
    let column = row["text_search_column"].value()?;
    let hidden_is_time = required::<bool>(row, "hidden_is_time")?;
    Ok(Source {
        entity_type: text("entity_type")?,
        relation: (text("relation_schema")?, text("relation_name")?),
        key: text("key_column")?,
        key_type: key_type(row, "key_type")?,
        tenant: text("tenant_column")?,
        tenant_type: key_type(row, "tenant_type")?,
        organisation: organisation(row)?,
        vectors: vectors(row)?,
        title: row["title_column"].value()?,
        content: required(row, "content_columns")?,
        created_at: text("created_at_column")?,
        metadata: required(row, "metadata_columns")?,
        json: required(row, "json")?,
        hidden: hidden.map(if hidden_is_time { Hidden::Since } else { Hidden::Flag }),
        words: words.map(|name| Words { name, config, column }),
        vector: row["vector_column"].value()?.unwrap_or_else(|| "embedding".to_owned()),
        store: store(row)?,
        model: text("model")?,
        dimensions: usize::try_from(required::<i32>(row, "dimensions")?).unwrap_or(0),
        access,
        row_security: required(row, "row_security")?,
    })
}

fn store(row: &SpiHeapTupleData<'_>) -> spi::Result<Option<Store>> {
    let name: Option<String> = row["store"].value()?;
    let (half, chunked) = (required(row, "store_half")?, required(row, "chunked")?);
    let indexed = required::<Vec<Uuid>>(row, "store_indexed")?.iter().map(|id| *id.as_bytes()).collect();
    Ok(name.map(|name| Store { name, half, chunked, indexed }))
}

/// A column that is gone has none; `access` tells of it.
fn key_type(row: &SpiHeapTupleData<'_>, column: &str) -> spi::Result<KeyType> {
    Ok(match row[column].value::<&str>()? {
        Some("number") => KeyType::Number,
        Some("text") => KeyType::Text,
        _ => KeyType::Uuid,
    })
}

fn organisation(row: &SpiHeapTupleData<'_>) -> spi::Result<Option<(String, KeyType)>> {
    let column: Option<String> = row["organisation_column"].value()?;
    column.map(|column| Ok((column, key_type(row, "organisation_type")?))).transpose()
}

fn vectors(row: &SpiHeapTupleData<'_>) -> spi::Result<Option<Vectors>> {
    if row["vectors_name"].value::<&str>()?.is_none() {
        return Ok(None);
    }
    let text = |column| required::<String>(row, column);
    Ok(Some(Vectors {
        relation: (text("vectors_schema")?, text("vectors_name")?),
        key: text("vectors_key_column")?,
        entity_type: row["vectors_type_column"].value()?,
    }))
}

fn access(row: &SpiHeapTupleData<'_>) -> spi::Result<Access> {
    if !required::<bool>(row, "has_table")? {
        return Ok(Access::NoTable);
    }
    if !required::<bool>(row, "has_vectors")? {
        return Ok(Access::NoVectors);
    }
    if !required::<bool>(row, "has_store")? {
        return Ok(Access::NoStore);
    }
    if let Some(column) = row["gone"].value()? {
        return Ok(Access::NoColumn(column));
    }
    if let Some(column) = row["misfit"].value()? {
        let text = |column| required::<String>(row, column);
        return Ok(Access::Misfit { column, is: text("misfit_is")?, should: text("misfit_should")? });
    }
    if !required::<bool>(row, "one_row")? {
        return Ok(Access::ManyRows);
    }
    if !required::<bool>(row, "one_vector")? {
        return Ok(Access::ManyVectors);
    }
    let readable = required::<bool>(row, "readable")?;
    Ok(if readable { Access::Readable } else { Access::Denied })
}

fn required<T: FromDatum + IntoDatum>(row: &SpiHeapTupleData<'_>, column: &str) -> spi::Result<T> {
    row[column].value()?.ok_or(spi::Error::InvalidPosition)
}
