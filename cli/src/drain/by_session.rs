//! The queue over a connection: each call is one statement, in the binary protocol.

use crate::drain::Failure;
use crate::drain::queue::{Job, Left, Page, Queue};
use crate::session::{Session, db_error, failed};
use crate::sources::{self, Model, PAGE, Registered, Walk};
use pgvector::Vector;
use std::time::Duration;
use strata_core::Error;
use strata_core::embed::Chunking;
use strata_core::statement::{Statement, Value};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A session that works on the queue under a name.
pub struct BySession<'s> {
    session: &'s Session,
    worker: String,
}

type Parameters<'p> = [&'p (dyn ToSql + Sync)];

impl<'s> BySession<'s> {
    /// Under this name, in a session without the timeouts of an application.
    pub async fn on(session: &'s Session, worker: String) -> Result<Self, Error> {
        let queue = BySession { session, worker };
        queue
            .rows("preparing the session", include_str!("../../../sql/query/queue_session.sql"), &[])
            .await?;
        Ok(queue)
    }

    async fn rows(&self, doing: &str, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.session.prepare(sql).await.map_err(|e| failed(doing, db_error(e)))?;
        let rows = self.session.client().query(&statement, parameters).await;
        rows.map_err(|e| failed(doing, db_error(e)))
    }

    /// The texts of a statement's rows.
    async fn ask(&self, doing: &str, statement: Statement) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.session.ask(doing, &statement).await
    }
}

impl Queue for BySession<'_> {
    fn lease(&self) -> Option<Duration> {
        None
    }

    async fn models(&self) -> Result<Vec<Model>, Error> {
        let sql = include_str!("../../../sql/query/embedded_models.sql");
        let rows = self.ask("reading the models", Statement::ours(sql, Vec::new())).await?;
        let model = |row: &Vec<Option<String>>| {
            let text = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
            Model { name: text(0), provider: text(1), dimensions: text(2).parse().unwrap_or(0) }
        };
        Ok(rows.iter().map(model).collect())
    }

    async fn claim(&self, max: i32, models: &[String]) -> Result<Vec<Job>, Error> {
        let sql = include_str!("../../../sql/query/claim_jobs.sql");
        let rows = self.rows("claiming jobs", sql, &[&self.worker, &max, &models]).await?;
        rows.iter().map(job).collect::<Result<_, _>>().map_err(|e| failed("reading jobs", db_error(e)))
    }

    async fn complete(&self, jobs: &[Job], vectors: Vec<Vec<f32>>) -> Result<(i32, i32), Error> {
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

    async fn fail(&self, jobs: &[Job], failure: &Failure) -> Result<i32, Error> {
        let (types, ids, fences) = keys(jobs.iter());
        let (wait, kind) = (failure.wait.map(|wait| wait.as_secs_f64()), failure.kind.name());
        let sql = include_str!("../../../sql/query/fail_jobs.sql");
        let parameters: &Parameters<'_> =
            &[&types, &ids, &fences, &failure.reason, &wait, &kind, &model_of(jobs)];
        let told = self.rows("recording failed jobs", sql, parameters).await?;
        Ok(told.first().map_or(0, |row| row.get(1)))
    }

    async fn sweep(&self) -> Result<u64, Error> {
        let doing = "sweeping the queue";
        let look = || self.rows(doing, include_str!("../../../sql/query/queue_litter.sql"), &[]);
        let mut told = look().await?;
        if told.first().is_some_and(|row| row.get(0)) {
            self.rows(doing, include_str!("../../../sql/query/sweep_queue.sql"), &[]).await?;
            told = look().await?;
        }
        Ok(told.first().map_or(0, |row| row.get::<_, i64>(1).unsigned_abs()))
    }

    async fn turn(&self, model: &str, tokens: i64) -> Result<f64, Error> {
        let sql = include_str!("../../../sql/query/take_turn.sql");
        let told = self.rows("asking for a turn", sql, &[&model, &tokens]).await?;
        Ok(told.first().map_or(0.0, |row| row.get(0)))
    }

    async fn left(&self, models: &[String]) -> Result<Left, Error> {
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

    async fn continue_changes(&self, rows: i64) -> Result<(i64, bool), Error> {
        let sql = include_str!("../../../sql/query/continue_model_changes.sql");
        let statement = Statement::ours(sql, vec![Value::Int(rows)]);
        let rows = self.ask("queueing rows for another model", statement).await?;
        let cell = |i: usize| rows.first().and_then(|row| row.get(i).cloned().flatten()).unwrap_or_default();
        Ok((cell(0).parse().unwrap_or(0), cell(1) == "true"))
    }

    async fn sources(&self) -> Result<Vec<Registered>, Error> {
        let all = sources::registered(self.session).await?;
        let one = |source: sources::Source| Registered {
            entity_type: source.entity_type,
            queued: source.is_queued,
        };
        Ok(all.into_iter().map(one).collect())
    }

    async fn page(&self, entity_type: &str, walk: &Walk, after: Option<&str>) -> Result<Page, Error> {
        let mut params = vec![entity_type.into(), after.into(), Value::Int(PAGE)];
        let statement = match walk {
            Walk::Missing => Statement::ours(include_str!("../../../sql/query/enqueue_missing.sql"), params),
            Walk::Again { only_other } => {
                params.push(Value::Bool(*only_other));
                Statement::ours(include_str!("../../../sql/query/enqueue_again.sql"), params)
            }
        };
        let rows = self.ask("queueing rows", statement).await?;
        let cell = |i: usize| rows.first().and_then(|row| row.get(i).cloned().flatten());
        Ok((cell(0).and_then(|n| n.parse().ok()).unwrap_or(0), cell(1)))
    }

    async fn rest(&self) -> Result<bool, Error> {
        let told = self.rows("resting", include_str!("../../../sql/query/rest.sql"), &[]).await?;
        Ok(told.first().is_some_and(|row| row.get(0)))
    }

    async fn woken(&self) {
        self.session.woken().await;
    }

    async fn rouse(&self) -> Result<(), Error> {
        self.rows("resting", include_str!("../../../sql/query/rouse.sql"), &[]).await.map(drop)
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
