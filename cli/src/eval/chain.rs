//! The real chain: the table and source of a labelled set, its texts as they are embedded, its searches. Everything in
//! transactions that are taken back: nobody ever sees it, and nothing stays.

use super::set::Set;
use crate::session::{Session, db_error, failed};
use crate::sources::Model;
use pgvector::Vector;
use strata_core::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Documents in one statement.
const PART: usize = 1_000;

/// A labelled set in a database.
pub struct Chain<'c> {
    /// Where.
    pub session: &'c Session,
    /// What embeds it.
    pub model: &'c Model,
    /// The text search configuration.
    pub config: &'c str,
}

impl Chain<'_> {
    /// The documents as they are embedded, in their order. Leaves no transaction open.
    pub async fn texts(&self, set: &Set) -> Result<Vec<String>, Error> {
        self.begin().await?;
        self.insert(set, None).await?;
        let rows = self.session.client().query(include_str!("../../../sql/query/eval_texts.sql"), &[]).await;
        let rows = rows.map_err(|e| failed("reading the texts", db_error(e)))?;
        self.end().await?;
        Ok(rows.iter().map(|row| row.get(1)).collect())
    }

    /// Stores the documents with their embeddings, and leaves the transaction open for searches.
    pub async fn store(&self, set: &Set, vectors: &[Option<Vector>]) -> Result<(), Error> {
        self.begin().await?;
        self.insert(set, Some(vectors)).await?;
        self.batch("analyze strata_eval.document").await
    }

    /// The documents that answer a question, best first, by their numbers.
    pub async fn search(
        &self,
        embedding: &Vector,
        count: i32,
        text: Option<&str>,
        weight: f64,
    ) -> Result<Vec<usize>, Error> {
        let sql = include_str!("../../../sql/query/eval_search.sql");
        let params: [&(dyn ToSql + Sync); 4] = [embedding, &count, &text, &weight];
        let row = self.session.client().query_one(sql, &params).await;
        let ids: Vec<Uuid> = row.map_err(|e| failed("searching", db_error(e)))?.get(0);
        Ok(ids.iter().filter_map(|id| usize::try_from(id.as_u128()).ok()).collect())
    }

    /// Takes everything back.
    pub async fn end(&self) -> Result<(), Error> {
        self.batch("rollback").await
    }

    async fn begin(&self) -> Result<(), Error> {
        let table = include_str!("../../../sql/query/eval_set.sql");
        self.batch("begin").await?;
        self.batch(&table.replace("{dimensions}", &self.model.dimensions.to_string())).await?;
        let dimensions = i32::try_from(self.model.dimensions).unwrap_or(i32::MAX);
        let params: [&(dyn ToSql + Sync); 4] =
            [&self.model.name, &self.model.provider, &dimensions, &self.config];
        let sql = include_str!("../../../sql/query/eval_source.sql");
        let done = self.session.client().query(sql, &params).await;
        done.map(|_| ()).map_err(|e| failed("registering the set", db_error(e)))
    }

    async fn insert(&self, set: &Set, vectors: Option<&[Option<Vector>]>) -> Result<(), Error> {
        let sql = include_str!("../../../sql/query/eval_insert.sql");
        for (part, documents) in set.documents.chunks(PART).enumerate() {
            let first = part * PART;
            let number = |n: usize| Uuid::from_u128((first + n) as u128);
            let ids: Vec<Uuid> = (0..documents.len()).map(number).collect();
            let titles: Vec<Option<&str>> =
                documents.iter().map(|d| Some(d.title.as_str()).filter(|title| !title.is_empty())).collect();
            let texts: Vec<&str> = documents.iter().map(|d| d.text.as_str()).collect();
            let own: Vec<Option<&Vector>> =
                (0..documents.len()).map(|n| vectors.and_then(|all| all.get(first + n)?.as_ref())).collect();
            let params: [&(dyn ToSql + Sync); 5] = [&ids, &titles, &texts, &own, &self.config];
            let done = self.session.client().execute(sql, &params).await;
            done.map_err(|e| failed("storing the documents", db_error(e)))?;
        }
        Ok(())
    }

    async fn batch(&self, sql: &str) -> Result<(), Error> {
        self.session.client().batch_execute(sql).await.map_err(|e| failed("preparing the set", db_error(e)))
    }
}
