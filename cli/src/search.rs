//! `search`: embeds a text with the model of the sources and asks `strata.rag_search` in the caller's session.

use crate::args::{Args, Search};
use crate::embed::{self, Model};
use crate::output::{Output, table};
use crate::provider;
use crate::session::{Session, db_error, failed};
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
    let model = model(&session).await?;
    let embedding = embedding(&model, &search.text).await?;
    let sql = include_str!("../../sql/query/rag_search.sql");
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&embedding, &search.user, &search.count, &search.days];
    let rows = session.client().query(sql, &params).await.map_err(|e| failed("searching", db_error(e)))?;
    let hits: Vec<Hit> = rows
        .iter()
        .map(Hit::read)
        .collect::<Result<_, _>>()
        .map_err(|e| failed("reading hits", db_error(e)))?;
    print(output, &hits);
    Ok(0)
}

/// The one model that all sources share: vectors of two models have no common ranking.
async fn model(session: &Session) -> Result<Model, Error> {
    let mut models: Vec<Model> =
        embed::sources(session).await?.into_iter().map(|source| source.model).collect();
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
    let mut vectors = vectors.map_err(embed::provider_failed)?;
    Ok(Vector::from(vectors.remove(0)))
}

struct Hit {
    entity_type: String,
    entity_id: uuid::Uuid,
    title: Option<String>,
    content: Option<String>,
    similarity: f64,
    created_at: Option<String>,
    metadata: Option<serde_json::Value>,
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
        vec![format!("{:.3}", self.similarity), self.entity_type.clone(), day.to_owned(), title, snippet]
    }
}

fn print(output: &Output, hits: &[Hit]) {
    let object = |hit: &Hit| {
        json!({
            "entity_type": hit.entity_type, "entity_id": hit.entity_id.to_string(), "title": hit.title, "content": hit.content,
            "similarity": hit.similarity, "created_at": hit.created_at, "metadata": hit.metadata,
        })
    };
    let text = match hits.is_empty() {
        true => "no hits: this tenant has no embedded rows".to_owned(),
        false => {
            table(&["SIMILARITY", "TYPE", "DATE", "TITLE", "CONTENT"], hits.iter().map(Hit::line).collect())
        }
    };
    output.result(json!({"hits": hits.iter().map(object).collect::<Vec<_>>()}), &text);
}
