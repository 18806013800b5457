//! `search`: embeds a text with the model of the sources and asks `strata.search` in the caller's session.

use crate::args::{Args, Search};
use crate::output::{Output, table};
use crate::provider;
use crate::session::{Session, db_error, failed};
use crate::sources::{self, Model, Source};
use pgvector::Vector;
use serde_json::json;
use strata_core::{Error, Kind};
use tokio_postgres::Row;

/// Widest snippet of a hit on a terminal. Unit: characters.
const SNIPPET: usize = 72;

/// `strata search TEXT`
pub async fn run(args: &Args, search: &Search, output: &Output) -> Result<u8, Error> {
    if search.text.trim().is_empty() {
        return Err(Error::new(Kind::BadArgument, "the text to search for is empty"));
    }
    let session = Session::open_installed(args).await?;
    let sources = chosen(sources::sources(&session).await?, search)?;
    let hits = match hits(&session, search, &sources).await {
        // The sources were switched to another model since we read them.
        Err(error) if matches!(error.kind(), Kind::BadData | Kind::WrongDimension) => {
            let now = chosen(sources::sources(&session).await?, search)?;
            match model(&now)? == model(&sources)? {
                true => return Err(error),
                false => hits(&session, search, &now).await?,
            }
        }
        other => other?,
    };
    print(output, search, &hits);
    Ok(0)
}

/// What these sources answer to the text, embedded with their model.
async fn hits(session: &Session, search: &Search, sources: &[Source]) -> Result<Vec<Hit>, Error> {
    let model = model(sources)?;
    let embedding = embedding(&model, &search.text).await?;
    let words = search.text_weight.map_or(sources.iter().any(|source| source.has_words), |share| share > 0.0);
    let text = words.then_some(&search.text);
    let sql = include_str!("../../sql/query/search.sql");
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &embedding,
        &search.user,
        &search.count,
        &search.days,
        &search.types,
        &search.minimum,
        &search.filter,
        &search.weights,
        &search.diversity,
        &text,
        &search.text_weight,
        &model.name,
        &search.organisation,
    ];
    let rows = session.client().query(sql, &params).await.map_err(|e| failed("searching", db_error(e)));
    let rows = rows.map_err(|error| if search.user.is_none() { unnamed(error) } else { error })?;
    rows.iter().map(Hit::read).collect::<Result<_, _>>().map_err(|e| failed("reading hits", db_error(e)))
}

/// Who bypasses row level security names the tenant: here by an option.
fn unnamed(error: Error) -> Error {
    match error.message().ends_with("must not be null") {
        true => error.hint("no row level security is at work for this role: pass --user ID"),
        false => error,
    }
}

/// The sources that were asked for. Refuses a name that is none's, as the server does.
fn chosen(sources: Vec<Source>, search: &Search) -> Result<Vec<Source>, Error> {
    let Some(types) = &search.types else { return Ok(sources) };
    let names: Vec<&str> = sources.iter().map(|source| source.entity_type.as_str()).collect();
    if let Some(unknown) = types.iter().find(|name| !names.contains(&name.as_str())) {
        let message = format!("entity_types: entity type \"{unknown}\" is not a source");
        return Err(Error::new(Kind::NotFound, message).hint(format!("sources: {}", names.join(", "))));
    }
    Ok(sources.into_iter().filter(|source| types.contains(&source.entity_type)).collect())
}

/// The one model that all sources share: vectors of two models have no common ranking.
fn model(sources: &[Source]) -> Result<Model, Error> {
    let mut models: Vec<Model> = sources.iter().map(|source| source.model.clone()).collect();
    models.dedup();
    match models.len() {
        1 => Ok(models.remove(0)),
        _ => {
            let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            Err(Error::new(
                Kind::WrongDimension,
                format!("the sources use several models: {}", names.join(", ")),
            )
            .hint("a text can be searched for in sources of one model"))
        }
    }
}

async fn embedding(model: &Model, text: &str) -> Result<Vector, Error> {
    let provider = model.open()?;
    let texts = [text.to_owned()];
    let vectors = provider::checked(provider.as_ref(), &texts).await;
    let mut vectors = vectors.map_err(sources::provider_failed)?;
    Ok(Vector::from(vectors.remove(0)))
}

/// A row that was found.
pub struct Hit {
    /// Which source it is of.
    pub entity_type: String,
    /// Its key.
    pub entity_id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub content: Option<String>,
    /// None where it has no embedding yet.
    pub similarity: Option<f64>,
    /// When it was made, in UTC.
    pub created_at: Option<String>,
    /// What its source has as metadata.
    pub metadata: Option<serde_json::Value>,
}

impl Hit {
    fn read(row: &Row) -> Result<Hit, tokio_postgres::Error> {
        Ok(Hit {
            entity_type: row.try_get(0)?,
            entity_id: row.try_get(1)?,
            title: row.try_get(2)?,
            content: row.try_get(3)?,
            similarity: row.try_get(4)?,
            created_at: row.try_get(5)?,
            metadata: row.try_get(6)?,
        })
    }

    fn line(&self) -> Vec<String> {
        let title = self.title.clone().unwrap_or_default();
        let day = self.created_at.as_deref().and_then(|at| at.get(..10)).unwrap_or_default();
        let text =
            self.content.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let snippet = match text.char_indices().nth(SNIPPET) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        };
        vec![
            self.similarity.map_or_else(|| "-".to_owned(), |similarity| format!("{similarity:.3}")),
            self.entity_type.clone(),
            day.to_owned(),
            title,
            snippet,
        ]
    }
}

/// Shows the rows that were found.
pub fn print(output: &Output, search: &Search, hits: &[Hit]) {
    let narrowed = search.types.is_some()
        || search.organisation.is_some()
        || search.minimum.is_some()
        || search.filter.is_some()
        || search.days.is_some();
    let object = |hit: &Hit| {
        json!({
            "entity_type": hit.entity_type, "entity_id": hit.entity_id, "title": hit.title, "content": hit.content,
            "similarity": hit.similarity, "created_at": hit.created_at, "metadata": hit.metadata,
        })
    };
    let text = match hits.is_empty() {
        true if narrowed => "no hits: no row of this tenant is left by the options".to_owned(),
        true => "no hits: this tenant has no embedded rows".to_owned(),
        false => {
            table(&["SIMILARITY", "TYPE", "DATE", "TITLE", "CONTENT"], hits.iter().map(Hit::line).collect())
        }
    };
    output.result(json!({"hits": hits.iter().map(object).collect::<Vec<_>>()}), &text);
}
