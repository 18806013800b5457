//! Draining the queue of embeddings: claim, ask the provider, complete, until nothing is ripe. Several lanes share one
//! session, so that one waits for its provider while another writes; no transaction is open while a provider works.

pub mod broom;
pub mod by_rest;
pub mod by_session;
pub mod queue;
pub mod tally;

use crate::provider::{self, Limits, Provider, ProviderError};
use broom::Broom;
use futures_util::future::try_join_all;
use queue::{Job, Queue};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use strata_core::embed::{self, Blame, Meaning};
use strata_core::{Error, Kind};
use tally::Tally;
use tokio::sync::watch;

/// How long a call that is running may go on when we are told to stop. Chosen: less than the ten seconds that process
/// managers give.
const GRACE: Duration = Duration::from_secs(5);

/// Longest that jobs are held while the limits of their model are waited for.
const TURN: Duration = Duration::from_secs(5);

/// Why jobs go back.
pub struct Failure {
    /// Whom it is blamed on.
    pub kind: Blame,
    /// What the provider said.
    pub reason: String,
    /// How long to leave them alone at least.
    pub wait: Option<Duration>,
}

/// A model that is open.
pub struct Desk {
    /// Its provider.
    pub provider: Box<dyn Provider>,
    /// It has answered before, so that what it rejects is the text's fault and not the set-up's.
    trusted: Cell<bool>,
}

impl Desk {
    /// Has not answered yet.
    pub fn new(provider: Box<dyn Provider>) -> Desk {
        Desk { provider, trusted: Cell::new(false) }
    }

    /// Whether it embeds anything at all; asks it, once.
    async fn is_trusted(&self) -> bool {
        if !self.trusted.get() {
            let probe = ["strata".to_owned()];
            self.trusted.set(provider::checked(self.provider.as_ref(), &probe).await.is_ok());
        }
        self.trusted.get()
    }
}

/// The models that are open, by name.
pub type Desks = BTreeMap<String, Desk>;

/// What drains.
pub struct Drain<'d, Q> {
    /// The queue.
    pub queue: &'d Q,
    /// The models.
    pub desks: &'d Desks,
    /// Rows a claim.
    pub batch: i32,
    /// What came of it.
    pub tally: &'d Tally,
    /// Sweeps behind it.
    pub broom: &'d Broom,
    /// True: stop.
    pub stop: watch::Receiver<bool>,
    /// Models that cannot work until somebody changes something, and why.
    pub benched: RefCell<BTreeMap<String, ProviderError>>,
}

impl<Q: Queue> Drain<'_, Q> {
    /// Until nothing is ripe, or we are told to stop. Only a failure of the database is an error.
    pub async fn run(&self, lanes: usize) -> Result<(), Error> {
        try_join_all((0..lanes).map(|_| self.lane())).await.map(drop)
    }

    /// True: we were told to stop.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The models that work, as far as we know.
    pub fn models(&self) -> Vec<String> {
        self.desks.keys().filter(|name| !self.benched.borrow().contains_key(*name)).cloned().collect()
    }

    async fn lane(&self) -> Result<(), Error> {
        while !self.is_stopping() {
            let models = self.models();
            if models.is_empty() {
                break;
            }
            // No call is begun in the last third of a lease: it is longer than the longest call.
            let until = self.queue.lease().map(|lease| Instant::now() + lease * 2 / 3);
            let jobs = self.queue.claim(self.batch, &models).await?;
            if jobs.is_empty() {
                break;
            }
            let mut by_model: BTreeMap<String, Vec<Job>> = BTreeMap::new();
            for job in jobs {
                by_model.entry(job.model.clone()).or_default().push(job);
            }
            for (model, jobs) in by_model {
                if let Some(desk) = self.desks.get(&model) {
                    self.work(desk, &model, jobs, until).await?;
                }
            }
            self.broom.sweep(self.queue, self.tally.ended()).await;
        }
        Ok(())
    }

    async fn work(
        &self,
        desk: &Desk,
        model: &str,
        mut jobs: Vec<Job>,
        until: Option<Instant>,
    ) -> Result<(), Error> {
        let limits: Limits = desk.provider.limits();
        for at in 0..jobs.len() {
            if let Err(cause) = cut(desk, &mut jobs[at]).await {
                self.benched.borrow_mut().insert(model.to_owned(), cause);
                return self.give_back(&jobs, None).await;
            }
        }
        let mut left: VecDeque<Vec<Job>> = embed::calls(jobs, limits).into();
        while let Some(call) = left.pop_front() {
            let stop = match until.is_some_and(|until| Instant::now() > until) {
                true => self.give_back(&call, None).await.map(|()| ControlFlow::Break(()))?,
                false => self.call(desk, model, call, &mut left).await?,
            };
            if stop.is_break() {
                let rest: Vec<Job> = left.into_iter().flatten().collect();
                return self.give_back(&rest, None).await;
            }
        }
        Ok(())
    }

    /// One call of the provider. Break: the model is not asked again in this round.
    async fn call(
        &self,
        desk: &Desk,
        model: &str,
        call: Vec<Job>,
        left: &mut VecDeque<Vec<Job>>,
    ) -> Result<ControlFlow<()>, Error> {
        if let Some(wait) = self.turn(model, &call).await? {
            self.give_back(&call, Some(wait)).await?;
            return Ok(ControlFlow::Break(()));
        }
        match self.ask(desk, model, &call).await {
            None => {
                self.give_back(&call, None).await?;
                Ok(ControlFlow::Break(()))
            }
            Some(Ok(vectors)) => {
                desk.trusted.set(true);
                self.complete(model, &call, vectors).await
            }
            Some(Err(cause)) => self.failed(desk, model, call, left, cause).await,
        }
    }

    /// Waits for the limits of the model. None: call it now; else how long it would take, which is too long to hold jobs.
    async fn turn(&self, model: &str, call: &[Job]) -> Result<Option<Duration>, Error> {
        let tokens: usize = call.iter().flat_map(Job::sent).map(|text| provider::tokens(text)).sum();
        let began = Instant::now();
        loop {
            let wait =
                Duration::from_secs_f64(self.queue.turn(model, tokens as i64).await?.clamp(0.0, 3600.0));
            if wait.is_zero() {
                self.tally.count(model, |counts| counts.tokens += tokens as u64);
                return Ok(None);
            }
            if self.is_stopping() || began.elapsed() + wait > TURN {
                return Ok(Some(wait));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// None: we were told to stop, and it took too long.
    async fn ask(
        &self,
        desk: &Desk,
        model: &str,
        call: &[Job],
    ) -> Option<Result<Vec<Vec<f32>>, ProviderError>> {
        let texts: Vec<String> = call.iter().flat_map(Job::sent).cloned().collect();
        let began = Instant::now();
        let asked = tokio::select! {
            made = provider::checked(desk.provider.as_ref(), &texts) => Some(made),
            () = self.stopped(GRACE) => None,
        };
        self.tally.count(model, |counts| {
            counts.calls += 1;
            counts.busy += began.elapsed();
            counts.failed_calls += u64::from(matches!(asked, Some(Err(_))));
        });
        asked
    }

    /// Ends so long after we were told to stop.
    async fn stopped(&self, grace: Duration) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            return std::future::pending().await;
        }
        tokio::time::sleep(grace).await;
    }

    async fn complete(
        &self,
        model: &str,
        call: &[Job],
        vectors: Vec<Vec<f32>>,
    ) -> Result<ControlFlow<()>, Error> {
        match self.queue.complete(call, vectors).await {
            Ok((stored, stale)) => {
                self.tally.count(model, |counts| {
                    counts.stored += stored as u64;
                    counts.stale += stale as u64;
                });
                Ok(ControlFlow::Continue(()))
            }
            // Vectors that this side let pass and the database does not.
            Err(error) if matches!(error.kind(), Kind::BadData | Kind::WrongDimension) => {
                self.fail(model, call, Blame::Unavailable, error.message(), None).await?;
                Ok(ControlFlow::Break(()))
            }
            Err(error) => Err(error),
        }
    }

    /// What a failure means for the texts of the call. A text that is rejected is set aside; where the provider does not
    /// say which one it is, the call is halved until that text stands alone.
    async fn failed(
        &self,
        desk: &Desk,
        model: &str,
        mut call: Vec<Job>,
        left: &mut VecDeque<Vec<Job>>,
        cause: ProviderError,
    ) -> Result<ControlFlow<()>, Error> {
        let (told, wait) = (cause.to_string(), cause.retry_after());
        let cause = cause.of_job(&call);
        match embed::meaning(&cause, call.len()) {
            Meaning::SetAside(row) => {
                let poison = call.remove(row);
                left.push_front(call);
                self.fail(model, &[poison], Blame::Rejected, &told, None).await?;
            }
            Meaning::Halve => {
                left.push_front(call.split_off(call.len() / 2));
                left.push_front(call);
            }
            Meaning::Doubt if desk.is_trusted().await => {
                self.fail(model, &call, Blame::Rejected, &told, None).await?;
            }
            Meaning::Back(blame) => {
                self.fail(model, &call, blame, &told, wait).await?;
                return Ok(ControlFlow::Break(()));
            }
            Meaning::Doubt | Meaning::Bench => {
                self.benched.borrow_mut().insert(model.to_owned(), cause);
                self.give_back(&call, None).await?;
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn fail(
        &self,
        model: &str,
        jobs: &[Job],
        kind: Blame,
        reason: &str,
        wait: Option<Duration>,
    ) -> Result<(), Error> {
        let failure = Failure { kind, reason: reason.to_owned(), wait };
        let dead = self.queue.fail(jobs, &failure).await?;
        self.tally.complain(reason);
        self.tally.count(model, |counts| {
            counts.failed += jobs.len() as u64;
            counts.dead += dead as u64;
        });
        Ok(())
    }

    /// Nobody has tried them; they are free for others.
    async fn give_back(&self, jobs: &[Job], wait: Option<Duration>) -> Result<(), Error> {
        if jobs.is_empty() {
            return Ok(());
        }
        let failure = Failure { kind: Blame::Returned, reason: "returned".into(), wait };
        self.queue.fail(jobs, &failure).await.map(drop)
    }
}

/// The parts of a text that is to be embedded in parts. Fails where the model's tokenizer is not to be had.
async fn cut(desk: &Desk, job: &mut Job) -> Result<(), ProviderError> {
    let Some(chunking) = job.chunking else { return Ok(()) };
    let parts = desk.provider.parts(&job.content, chunking).await?;
    job.parts = parts.into_iter().map(|part| job.content[part].to_owned()).collect();
    Ok(())
}
