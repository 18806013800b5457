//! The queue of jobs as a worker sees it: claims a batch, hands vectors or failures back. Each call is one statement and so
//! one transaction: none is open while a provider works.

use crate::drain::Failure;
use crate::session::{Session, db_error, failed};
use pgvector::Vector;
use strata_core::Error;
use strata_core::embed::{Chunking, Claimed};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// One claimed job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Entity type.
    pub entity_type: String,
    /// Key of its row.
    pub id: Uuid,
    /// Model that is to embed it.
    pub model: String,
    /// Worthless when it has moved.
    pub fence: i64,
    /// Text.
    pub content: String,
    /// Of the text.
    pub hash: Vec<u8>,
    /// Failures so far.
    pub attempts: i32,
    /// How its text is cut; none: it is embedded as a whole.
    pub chunking: Option<Chunking>,
    /// The parts of its text, where it is cut.
    pub parts: Vec<String>,
}

impl Job {
    /// What the provider is sent.
    pub fn sent(&self) -> &[String] {
        match self.parts.is_empty() {
            true => std::slice::from_ref(&self.content),
            false => &self.parts,
        }
    }
}

impl Claimed for Job {
    fn content(&self) -> &str {
        &self.content
    }

    fn attempts(&self) -> i32 {
        self.attempts
    }

    fn texts(&self) -> usize {
        self.sent().len()
    }
}

/// What the queue still holds.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// Could be claimed now.
    pub ripe: i64,
    /// Wait for their time.
    pub later: i64,
    /// Held by workers whose sessions live.
    pub held: i64,
    /// Held by others until their lease is over.
    pub lent: i64,
    /// When that is, for the last of them: a time of the day.
    pub lent_until: Option<String>,
    /// Set aside.
    pub dead: i64,
    /// Until the first of those that wait. Unit: seconds.
    pub next: Option<f64>,
    /// Of a model whose budget is used up.
    pub stopped: i64,
}

/// A session that works on the queue under a name.
pub struct Queue<'s> {
    session: &'s Session,
    worker: String,
}

type Parameters<'p> = [&'p (dyn ToSql + Sync)];

impl<'s> Queue<'s> {
    /// Under this name.
    pub fn new(session: &'s Session, worker: String) -> Self {
        Queue { session, worker }
    }

    /// Up to so many jobs of these models. Empty: there is nothing to do now.
    pub async fn claim(&self, max: i32, models: &[String]) -> Result<Vec<Job>, Error> {
        let sql = include_str!("../../../sql/query/claim_jobs.sql");
        let rows = self.rows("claiming jobs", sql, &[&self.worker, &max, &models]).await?;
        rows.iter().map(job).collect::<Result<_, _>>().map_err(|e| failed("reading jobs", db_error(e)))
    }

    /// How many were stored and how many were stale. All of one model, as the jobs of a call are.
    pub async fn complete(&self, jobs: &[Job], vectors: Vec<Vec<f32>>) -> Result<(i32, i32), Error> {
        let parts = || jobs.iter().flat_map(|job| job.sent().iter().map(move |_| job));
        let (types, ids, fences) = keys(parts());
        let hashes: Vec<&[u8]> = parts().map(|job| job.hash.as_slice()).collect();
        let chunks: Option<Vec<i32>> = jobs
            .iter()
            .any(|job| job.chunking.is_some())
            .then(|| jobs.iter().flat_map(|job| (0..).zip(job.sent()).map(|(chunk, _)| chunk)).collect());
        let vectors: Vec<Vector> = vectors.into_iter().map(Vector::from).collect();
        let sql = include_str!("../../../sql/query/complete_jobs.sql");
        let model = model_of(jobs);
        let parameters: &Parameters<'_> = &[&types, &ids, &fences, &hashes, &vectors, &model, &chunks];
        let told = self.rows("storing embeddings", sql, parameters).await?;
        Ok(told.first().map_or((0, 0), |row| (row.get(0), row.get(1))))
    }

    /// How many of them are dead now. All of one model.
    pub async fn fail(&self, jobs: &[Job], failure: &Failure) -> Result<i32, Error> {
        let (types, ids, fences) = keys(jobs.iter());
        let (wait, kind) = (failure.wait.map(|wait| wait.as_secs_f64()), failure.kind.name());
        let sql = include_str!("../../../sql/query/fail_jobs.sql");
        let parameters: &Parameters<'_> =
            &[&types, &ids, &fences, &failure.reason, &wait, &kind, &model_of(jobs)];
        let told = self.rows("recording failed jobs", sql, parameters).await?;
        Ok(told.first().map_or(0, |row| row.get(1)))
    }

    /// Frees the room of dead rows, where this session may. After how many more jobs that is worth it again.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let doing = "sweeping the queue";
        let look = || self.rows(doing, include_str!("../../../sql/query/queue_litter.sql"), &[]);
        let mut told = look().await?;
        if told.first().is_some_and(|row| row.get(0)) {
            self.rows(doing, include_str!("../../../sql/query/sweep_queue.sql"), &[]).await?;
            told = look().await?;
        }
        Ok(told.first().map_or(0, |row| row.get::<_, i64>(1).unsigned_abs()))
    }

    /// Zero: the provider may be called now with so many tokens. Else how long to wait. Unit: seconds.
    pub async fn turn(&self, model: &str, tokens: i64) -> Result<f64, Error> {
        let sql = include_str!("../../../sql/query/take_turn.sql");
        let told = self.rows("asking for a turn", sql, &[&model, &tokens]).await?;
        Ok(told.first().map_or(0.0, |row| row.get(0)))
    }

    /// What is left of these models. Counts, so it is for when there is nothing else to do.
    pub async fn left(&self, models: &[String]) -> Result<Left, Error> {
        let sql = include_str!("../../../sql/query/left.sql");
        let told = self.rows("counting the jobs", sql, &[&models, &self.worker]).await?;
        Ok(told.first().map_or_else(Left::default, |row| Left {
            ripe: row.get(0),
            later: row.get(1),
            held: row.get(2),
            lent: row.get(3),
            lent_until: row.get(4),
            dead: row.get(5),
            next: row.get(6),
            stopped: row.get(7),
        }))
    }

    async fn rows(&self, doing: &str, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.session.prepare(sql).await.map_err(|e| failed(doing, db_error(e)))?;
        let rows = self.session.client().query(&statement, parameters).await;
        rows.map_err(|e| failed(doing, db_error(e)))
    }
}

fn job(row: &Row) -> Result<Job, tokio_postgres::Error> {
    Ok(Job {
        entity_type: row.try_get(0)?,
        id: row.try_get(1)?,
        model: row.try_get(2)?,
        fence: row.try_get(3)?,
        content: row.try_get(4)?,
        hash: row.try_get(5)?,
        attempts: row.try_get(6)?,
        chunking: chunking(row.try_get(7)?, row.try_get(8)?),
        parts: Vec::new(),
    })
}

fn model_of(jobs: &[Job]) -> Option<&str> {
    jobs.first().map(|job| job.model.as_str())
}

fn chunking(tokens: Option<i32>, overlap: i32) -> Option<Chunking> {
    let number = |n: i32| usize::try_from(n).unwrap_or(0);
    tokens.map(|tokens| Chunking { tokens: number(tokens).max(1), overlap: number(overlap) })
}

fn keys<'j>(jobs: impl Iterator<Item = &'j Job> + Clone) -> (Vec<&'j str>, Vec<Uuid>, Vec<i64>) {
    let types = jobs.clone().map(|job| job.entity_type.as_str()).collect();
    (types, jobs.clone().map(|job| job.id).collect(), jobs.map(|job| job.fence).collect())
}
