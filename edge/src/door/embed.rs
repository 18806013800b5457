//! `POST embed`: claims jobs, asks their providers, hands the vectors back, until nothing is ripe or the budget is used up. Where
//! nothing is ripe and a model is being changed, it queues the next rows for the new one and goes on. The caller is answered
//! meanwhile; the work goes on behind the answer. What is killed in between is free again when its lease is over.

use super::behind::{self, Metered};
use super::database::Database;
use super::host;
use super::provider::Desk;
use crate::answer::{self, Benched, Drained, Left};
use crate::budget::Budget;
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::provider::{Model, Providers};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;
use strata_core::Kind;
use strata_core::embed::rpc::{self, Completed, Failed, Failure, Job, Mark, Walked};
use strata_core::embed::{self, Blame, Meaning, ProviderError};

/// How jobs are leased: without a session that a lease could end with, its time alone ends it. Longer than what one call and
/// the storing of its vectors may take. Unit: seconds.
const LEASE: u32 = 120;

/// Who holds them, as `strata.job` shows it.
const WORKER: &str = "edge function";

/// Longest that jobs are held while the limits of their model are waited for.
const TURN: Duration = Duration::from_secs(5);

/// Rows that are looked at in one step, where a model is being changed: as a worker does.
const PAGE: i64 = 1000;

/// Most steps that may find nothing to queue, before the rest is left to the next invocation: the walk of a source that is broken
/// never ends.
const PAGES: u32 = 100;

/// Drains. Answers when nothing is left to be done now, or when the caller has waited long enough.
pub async fn embed(
    database: Rc<Database>,
    providers: &Providers,
    budget: Budget,
    by: Credentials,
) -> Result<Drained, Fault> {
    let models: Vec<Model> = answer::read(database.call(&rpc::embedded_models(), &by).await?)?;
    let (desks, benched) = open(providers, models)?;
    let drained = RefCell::new(Drained { benched, ..Drained::default() });
    let computed = Rc::new(Cell::new(0.0));
    let drain = Drain { database, by, budget, desks, drained, began: host::milliseconds(), computed };
    let drain = Rc::new(drain);
    let turned = drain.clone();
    let work = Metered::new(async move { turned.run().await }, drain.computed.clone());
    let ended = behind::within(budget.answer, work).await?;
    let left = drain.left().await?;
    let drained = drain.drained.borrow().clone();
    Ok(Drained { continues: !ended, left, ..drained })
}

/// The models that can be asked from here; why not, of the others. An error where there are some and none of them can.
fn open(providers: &Providers, models: Vec<Model>) -> Result<(BTreeMap<String, Desk>, Vec<Benched>), Fault> {
    let (mut desks, mut benched, mut last) = (BTreeMap::new(), Vec::new(), None);
    for model in models {
        match providers.way(&model) {
            Ok(way) => drop(desks.insert(model.model.clone(), Desk::new(model, way))),
            Err(fault) => {
                let body = fault.body.clone();
                benched.push(Benched { model: model.model, message: body.message, hint: body.hint });
                last = Some(fault);
            }
        }
    }
    match last {
        Some(fault) if desks.is_empty() => Err(fault),
        _ => Ok((desks, benched)),
    }
}

struct Drain {
    database: Rc<Database>,
    by: Credentials,
    budget: Budget,
    desks: BTreeMap<String, Desk>,
    drained: RefCell<Drained>,
    /// Unit: milliseconds.
    began: f64,
    /// Unit: milliseconds.
    computed: Rc<Cell<f64>>,
}

impl Drain {
    async fn run(&self) -> Result<(), Fault> {
        while self.may_go_on() {
            let models = self.models();
            if models.is_empty() {
                break;
            }
            let claim = rpc::claim(WORKER, LEASE, &models, self.budget.batch);
            let jobs: Vec<Job> = answer::read(self.database.call(&claim, &self.by).await?)?;
            if jobs.is_empty() {
                match self.walk().await? {
                    true => continue,
                    false => break,
                }
            }
            let mut by_model: BTreeMap<String, Vec<Job>> = BTreeMap::new();
            for job in jobs.into_iter().map(Job::cut) {
                by_model.entry(job.model.clone()).or_default().push(job);
            }
            let lease_ends = host::milliseconds() + f64::from(LEASE) * 1000.0;
            for (model, jobs) in by_model {
                self.work(&self.desks[&model], jobs, lease_ends).await?;
            }
        }
        Ok(())
    }

    /// Queues more rows for the models that are being changed to. True: there is more to do now.
    async fn walk(&self) -> Result<bool, Fault> {
        for _ in 0..PAGES {
            if !self.may_go_on() {
                break;
            }
            let said = match self.database.call(&rpc::continue_changes(PAGE), &self.by).await {
                // Somebody holds the next row. The next invocation comes by again.
                Err(fault) if fault.body.code == Kind::Locked.sqlstate() => return Ok(false),
                said => said?,
            };
            let Walked { enqueued, done } = answer::read(said)?;
            if enqueued > 0 || done {
                return Ok(enqueued > 0);
            }
        }
        Ok(false)
    }

    fn may_go_on(&self) -> bool {
        self.budget.allows(host::milliseconds() - self.began, self.computed.get())
    }

    /// The models that work, as far as we know.
    fn models(&self) -> Vec<&str> {
        let drained = self.drained.borrow();
        let works = |name: &&str| !drained.benched.iter().any(|benched| benched.model == *name);
        self.desks.keys().map(String::as_str).filter(works).collect()
    }

    async fn left(&self) -> Result<Left, Fault> {
        let models: Vec<&str> = self.desks.keys().map(String::as_str).collect();
        answer::read(self.database.call(&rpc::left(&models), &self.by).await?)
    }

    /// The calls of one claim, none of them begun when the lease could be over before it ends.
    async fn work(&self, desk: &Desk, jobs: Vec<Job>, lease_ends: f64) -> Result<(), Fault> {
        let mut left: VecDeque<Vec<Job>> = embed::calls(jobs, desk.limits()).into();
        while let Some(call) = left.pop_front() {
            let late = !self.may_go_on() || host::milliseconds() + desk.patience() > lease_ends;
            let stop = match late {
                true => self.give_back(&call, None).await.map(|()| ControlFlow::Break(()))?,
                false => self.call(desk, call, &mut left).await?,
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
        call: Vec<Job>,
        left: &mut VecDeque<Vec<Job>>,
    ) -> Result<ControlFlow<()>, Fault> {
        if let Some(wait) = self.turn(desk, &call).await? {
            self.give_back(&call, Some(wait)).await?;
            return Ok(ControlFlow::Break(()));
        }
        let texts: Vec<String> = call.iter().flat_map(Job::sent).cloned().collect();
        self.drained.borrow_mut().calls += 1;
        match desk.vectors(&texts).await {
            Ok(vectors) => self.complete(&call, &vectors).await,
            Err(cause) => self.failed(desk, call, left, cause).await,
        }
    }

    /// Waits for the limits of the model. None: call it now; else how long it would take, which is too long to hold jobs.
    async fn turn(&self, desk: &Desk, call: &[Job]) -> Result<Option<Duration>, Fault> {
        let tokens = call.iter().flat_map(Job::sent).map(|text| embed::tokens(text)).sum();
        let began = host::milliseconds();
        loop {
            let asked = self.database.call(&rpc::turn(&desk.model.model, tokens), &self.by).await?;
            let wait = Duration::from_secs_f64(answer::read::<f64>(asked)?.clamp(0.0, 3600.0));
            if wait.is_zero() {
                return Ok(None);
            }
            let waited = Duration::from_secs_f64((host::milliseconds() - began).max(0.0) / 1000.0);
            if waited + wait > TURN || !self.may_go_on() {
                return Ok(Some(wait));
            }
            host::sleep(wait.as_secs_f64() * 1000.0).await;
        }
    }

    async fn complete(&self, call: &[Job], vectors: &[Vec<f32>]) -> Result<ControlFlow<()>, Fault> {
        let marks: Vec<(Mark<'_>, usize)> = call.iter().map(|job| (job.mark(), job.sent().len())).collect();
        let cut = call.iter().any(|job| job.chunk_tokens.is_some());
        let back = rpc::complete(model_of(call), &marks, cut, vectors);
        match self.database.call(&back, &self.by).await {
            Ok(said) => {
                let Completed { stored, stale } = answer::read(said)?;
                let mut drained = self.drained.borrow_mut();
                drained.stored += stored;
                drained.stale += stale;
                Ok(ControlFlow::Continue(()))
            }
            // Vectors that this side let pass and the database does not.
            Err(fault) if fault.body.code == "22000" => {
                self.fail(call, Blame::Unavailable, &fault.body.message, None).await?;
                Ok(ControlFlow::Break(()))
            }
            Err(fault) => Err(fault),
        }
    }

    /// What a failure means for the texts of the call.
    async fn failed(
        &self,
        desk: &Desk,
        mut call: Vec<Job>,
        left: &mut VecDeque<Vec<Job>>,
        cause: ProviderError,
    ) -> Result<ControlFlow<()>, Fault> {
        let told = cause.to_string();
        let cause = cause.of_job(&call);
        match embed::meaning(&cause, call.len()) {
            Meaning::SetAside(row) => {
                let poison = call.remove(row);
                if !call.is_empty() {
                    left.push_front(call);
                }
                self.fail(&[poison], Blame::Rejected, &told, None).await?;
            }
            Meaning::Halve => {
                left.push_front(call.split_off(call.len() / 2));
                left.push_front(call);
            }
            Meaning::Doubt if desk.is_trusted().await => {
                self.fail(&call, Blame::Rejected, &told, None).await?
            }
            Meaning::Back(blame) => {
                self.fail(&call, blame, &told, cause.retry_after()).await?;
                return Ok(ControlFlow::Break(()));
            }
            Meaning::Doubt | Meaning::Bench => {
                let (model, hint) = (desk.model.model.clone(), cause.hint().map(str::to_owned));
                self.drained.borrow_mut().benched.push(Benched { model, message: told, hint });
                self.give_back(&call, None).await?;
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn fail(
        &self,
        jobs: &[Job],
        blame: Blame,
        reason: &str,
        wait: Option<Duration>,
    ) -> Result<(), Fault> {
        let failure = Failure { blame, reason, wait };
        let said = self.database.call(&fail(jobs, &failure), &self.by).await?;
        let Failed { dead } = answer::read(said)?;
        let mut drained = self.drained.borrow_mut();
        drained.failed += jobs.len() as u32;
        drained.dead += dead;
        drained.error = Some(reason.to_owned());
        Ok(())
    }

    /// Nobody has tried them; they are free for others.
    async fn give_back(&self, jobs: &[Job], wait: Option<Duration>) -> Result<(), Fault> {
        if jobs.is_empty() {
            return Ok(());
        }
        let failure = Failure { blame: Blame::Returned, reason: "returned", wait };
        self.database.call(&fail(jobs, &failure), &self.by).await.map(drop)
    }
}

fn fail(jobs: &[Job], failure: &Failure<'_>) -> rpc::Call {
    let marks: Vec<Mark<'_>> = jobs.iter().map(Job::mark).collect();
    rpc::fail(model_of(jobs), &marks, failure)
}

/// The jobs of one call are of one model.
fn model_of(jobs: &[Job]) -> &str {
    jobs.first().map_or("", |job| &job.model)
}
