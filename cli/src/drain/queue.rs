//! The queue of jobs as a worker sees it, whichever way it is reached: claims a batch, hands vectors or failures back. Each
//! call is one transaction: none is open while a provider works.

use crate::drain::Failure;
use crate::sources::{Model, Registered, Walk};
use std::time::Duration;
use strata_core::Error;
use strata_core::embed::{Chunking, Claimed};
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
    /// Of the text, as the way that it came by writes it; only ever handed back.
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

/// Where jobs come from, under the name of a worker.
pub trait Queue {
    /// How long what is claimed is ours; none: as long as our session lives.
    fn lease(&self) -> Option<Duration>;

    /// The models that rows are embedded with: those that sources are searched by, and those that they are changed to.
    async fn models(&self) -> Result<Vec<Model>, Error>;

    /// Up to so many jobs of these models. Empty: there is nothing to do now.
    async fn claim(&self, max: i32, models: &[String]) -> Result<Vec<Job>, Error>;

    /// How many were stored and how many were stale. All of one model, as the jobs of a call are.
    async fn complete(&self, jobs: &[Job], vectors: Vec<Vec<f32>>) -> Result<(i32, i32), Error>;

    /// How many of them are dead now. All of one model.
    async fn fail(&self, jobs: &[Job], failure: &Failure) -> Result<i32, Error>;

    /// Frees the room of dead rows, where this session may. After how many more jobs that is worth it again.
    async fn sweep(&self) -> Result<u64, Error>;

    /// Zero: the provider may be called now with so many tokens. Else how long to wait. Unit: seconds.
    async fn turn(&self, model: &str, tokens: i64) -> Result<f64, Error>;

    /// What is left of these models. Counts, so it is for when there is nothing else to do.
    async fn left(&self, models: &[String]) -> Result<Left, Error>;

    /// One page of the walks of all changes of models: how many jobs are new, and whether every walk is at its end.
    async fn continue_changes(&self, rows: i64) -> Result<(i64, bool), Error>;

    /// The registered sources.
    async fn sources(&self) -> Result<Vec<Registered>, Error>;

    /// One page of a walk over a source behind this key: how many jobs are new, and the last key; none: it is at its end.
    async fn page(&self, entity_type: &str, walk: &Walk, after: Option<&str>) -> Result<Page, Error>;

    /// Says that we have nothing to do, to be woken. False: look again soon.
    async fn rest(&self) -> Result<bool, Error>;

    /// Ends when somebody has written since we said so.
    async fn woken(&self);

    /// We rest no longer.
    async fn rouse(&self) -> Result<(), Error>;
}

/// What a page of a walk came to.
pub type Page = (i64, Option<String>);
