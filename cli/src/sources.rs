//! The registered sources and the models that embed them, as the commands that embed and search know them.

use crate::provider::{self, Provider, ProviderError};
use crate::session::Session;
use serde::Deserialize;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// Rows a page of the walk over a source. Large enough that the walk is not the work, small enough to lock briefly.
pub const PAGE: i64 = 1_000;

/// A registered source and the model that it is embedded with.
pub struct Source {
    /// Entity type.
    pub entity_type: String,
    /// Model.
    pub model: Model,
    /// Whether it can be searched by its words.
    pub has_words: bool,
    /// Whether its rows are embedded here; else the application does it.
    pub is_queued: bool,
}

/// An embedding model as the database knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Model {
    /// Name.
    pub name: String,
    /// Provider.
    pub provider: String,
    /// Dimensions of its vectors.
    pub dimensions: usize,
}

impl Model {
    /// Opens its provider.
    pub fn open(&self) -> Result<Box<dyn Provider>, Error> {
        provider::open(&self.provider, &self.name, self.dimensions).map_err(provider_failed)
    }
}

/// A registered source, as a walk sees it.
#[derive(Deserialize)]
pub struct Registered {
    /// Entity type.
    pub entity_type: String,
    /// Whether its rows are embedded here; else the application does it.
    pub queued: bool,
}

/// Which rows of a source are queued.
pub enum Walk {
    /// Those that have no vector.
    Missing,
    /// Those that have one too; only where it is of another model.
    Again {
        /// Only those.
        only_other: bool,
    },
}

/// The registered sources; an error when there are none.
pub async fn sources(session: &Session) -> Result<Vec<Source>, Error> {
    some(registered(session).await?)
}

/// Refuses none at all.
pub fn some<T>(sources: Vec<T>) -> Result<Vec<T>, Error> {
    match sources.is_empty() {
        false => Ok(sources),
        true => {
            Err(Error::new(Kind::NotFound, "no source is registered, so there is nothing to embed or search")
                .hint("register a table with strata.add_source, or run a pack that does"))
        }
    }
}

/// The same, which may be none.
pub async fn registered(session: &Session) -> Result<Vec<Source>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/sources.sql"), Vec::new());
    let rows = session.ask("reading the sources", &statement).await?;
    let source = |row: &strata_core::statement::Row| {
        let text = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
        let dimensions = text(3).parse().unwrap_or(0);
        let model = Model { name: text(1), provider: text(2), dimensions };
        Source { entity_type: text(0), model, has_words: text(4) == "true", is_queued: text(5) == "true" }
    };
    Ok(rows.iter().map(source).collect())
}

/// A provider's failure as an error of this command.
pub fn provider_failed(cause: ProviderError) -> Error {
    let kind = match cause {
        ProviderError::WrongDimension { .. } => Kind::WrongDimension,
        _ => Kind::ProviderFailed,
    };
    let error = Error::new(kind, cause.to_string());
    match cause.hint() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
