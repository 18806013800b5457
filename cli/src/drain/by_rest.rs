//! The queue through Supabase's REST, where only HTTP is open: functions of the database by name. No session holds what is
//! claimed, so that its lease alone does; nobody wakes us, so that we look again and again.

use crate::drain::Failure;
use crate::drain::queue::{Job, Left, Page, Queue};
use crate::provider;
use crate::rest::Api;
use crate::sources::{self, Model, PAGE, Registered, Walk};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use strata_core::embed::rpc::{self, Call, Completed, Failed, Mark};
use strata_core::{Error, Kind};
use uuid::Uuid;

/// Shortest lease: as long as `strata.claim_jobs` gives.
const LEASE: Duration = Duration::from_secs(300);

/// A project's API, worked on under a name.
pub struct ByRest {
    api: Api,
    worker: String,
    lease: Duration,
}

#[derive(Deserialize)]
struct ModelRow {
    model: String,
    provider: String,
    dimensions: usize,
}

#[derive(Deserialize)]
struct LeftRow {
    ripe: i64,
    later: i64,
    leased: i64,
    dead: i64,
    next: Option<f64>,
}

#[derive(Deserialize)]
struct PageRow {
    enqueued: i64,
    last: Option<String>,
}

impl ByRest {
    /// Of the project at this URL. A lease outlives the longest call of a provider twice.
    pub fn at(url: &str, worker: String) -> Result<ByRest, Error> {
        let call = provider::patience().map_err(sources::provider_failed)?;
        Ok(ByRest { api: Api::at(url)?, worker, lease: LEASE.max(call * 3) })
    }

    /// Where it is, for messages.
    pub fn address(&self) -> &str {
        self.api.address()
    }
}

impl Queue for ByRest {
    fn lease(&self) -> Option<Duration> {
        Some(self.lease)
    }

    async fn models(&self) -> Result<Vec<Model>, Error> {
        let rows: Vec<ModelRow> = self.api.rows(rpc::embedded_models()).await?;
        let model =
            |row: ModelRow| Model { name: row.model, provider: row.provider, dimensions: row.dimensions };
        Ok(rows.into_iter().map(model).collect())
    }

    async fn claim(&self, max: i32, models: &[String]) -> Result<Vec<Job>, Error> {
        let models: Vec<&str> = models.iter().map(String::as_str).collect();
        let call = rpc::claim(&self.worker, self.lease.as_secs() as u32, &models, max);
        self.api.rows(call).await?.into_iter().map(job).collect()
    }

    async fn complete(&self, jobs: &[Job], vectors: Vec<Vec<f32>>) -> Result<(i32, i32), Error> {
        let marks: Vec<(Mark<'_>, usize)> = jobs.iter().map(|job| (mark(job), job.sent().len())).collect();
        let cut = jobs.iter().any(|job| job.chunking.is_some());
        // Twice is once: the fence of what is stored is gone.
        let told: Completed =
            self.api.one_again(rpc::complete(model_of(jobs), &marks, cut, &vectors)).await?;
        Ok((told.stored as i32, told.stale as i32))
    }

    async fn fail(&self, jobs: &[Job], failure: &Failure) -> Result<i32, Error> {
        let marks: Vec<Mark<'_>> = jobs.iter().map(mark).collect();
        let Failure { kind, reason, wait } = failure;
        let failure = rpc::Failure { blame: *kind, reason, wait: *wait };
        let told: Failed = self.api.one_again(rpc::fail(model_of(jobs), &marks, &failure)).await?;
        Ok(told.dead as i32)
    }

    /// Nothing can be swept from inside a function: that is left to workers that have a connection, and to autovacuum.
    async fn sweep(&self) -> Result<u64, Error> {
        Ok(u64::MAX)
    }

    async fn turn(&self, model: &str, tokens: i64) -> Result<f64, Error> {
        self.api.one(rpc::turn(model, usize::try_from(tokens).unwrap_or(0))).await
    }

    async fn left(&self, models: &[String]) -> Result<Left, Error> {
        let models: Vec<&str> = models.iter().map(String::as_str).collect();
        let LeftRow { ripe, later, leased, dead, next } = self.api.one_again(rpc::left(&models)).await?;
        Ok(Left { ripe, later, lent: leased, dead, next, ..Left::default() })
    }

    async fn continue_changes(&self, rows: i64) -> Result<(i64, bool), Error> {
        let rpc::Walked { enqueued, done } = self.api.one(rpc::continue_changes(rows)).await?;
        Ok((enqueued, done))
    }

    async fn sources(&self) -> Result<Vec<Registered>, Error> {
        self.api.table("source", &["entity_type", "queued"]).await
    }

    async fn page(&self, entity_type: &str, walk: &Walk, after: Option<&str>) -> Result<Page, Error> {
        let mut arguments = json!({"entity_type": entity_type, "after": after, "max": PAGE});
        let function = match walk {
            Walk::Missing => "enqueue_missing",
            Walk::Again { only_other } => {
                arguments["only_other"] = (*only_other).into();
                "enqueue_again"
            }
        };
        let PageRow { enqueued, last } = self.api.one(Call { function, arguments }).await?;
        Ok((enqueued, last))
    }

    async fn rest(&self) -> Result<bool, Error> {
        Ok(false)
    }

    async fn woken(&self) {
        std::future::pending().await
    }

    async fn rouse(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn job(row: rpc::Job) -> Result<Job, Error> {
    let chunking = row.chunking();
    let id = Uuid::parse_str(&row.entity_id).map_err(|_| {
        Error::new(Kind::BadData, format!("the key \"{}\" of a job is no uuid", row.entity_id))
    })?;
    let hash = row.content_hash.into_bytes();
    let rpc::Job { entity_type, model, fence, content, attempts, parts, .. } = row;
    Ok(Job { entity_type, id, model, fence, content, hash, attempts, chunking, parts })
}

fn mark(job: &Job) -> Mark<'_> {
    let hash = std::str::from_utf8(&job.hash).expect("it came as a text");
    Mark { entity_type: &job.entity_type, entity_id: job.id.to_string(), fence: job.fence, hash }
}

fn model_of(jobs: &[Job]) -> &str {
    jobs.first().map_or("", |job| &job.model)
}
