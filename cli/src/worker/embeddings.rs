//! The other half of a worker: drains the queue of embeddings, and rests where there is nothing to do until a writer wakes it.

use crate::args::{Args, Task, Worker};
use crate::drain::broom::Broom;
use crate::drain::by_rest::ByRest;
use crate::drain::by_session::BySession;
use crate::drain::queue::{Left, Queue};
use crate::drain::tally::Tally;
use crate::drain::{Desk, Desks, Drain};
use crate::embed::not_embedded;
use crate::output::Output;
use crate::session::Session;
use crate::sources::{PAGE, provider_failed};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use strata_core::statement::Statement;
use strata_core::{Error, Kind};
use tokio::sync::watch;

/// How long a model that cannot work is left out, and how often new models are looked for.
const LOOK: Duration = Duration::from_secs(30);

/// Between two lines of progress, and between two counts of the queue.
const TELL: Duration = Duration::from_secs(10);

/// Between two looks through the API, where nobody says otherwise. Each is a few requests.
const CALM: Duration = Duration::from_secs(5);

/// Pages of a walk in which nothing is new, before we look after something else.
const PAGES: u32 = 100;

/// What is told about it while it works.
#[derive(Default)]
pub struct Pulse {
    /// What came of jobs and calls.
    pub tally: Tally,
    /// What was ended since the queue was swept.
    pub broom: Broom,
    /// What the queue held when it was counted last.
    pub left: RefCell<Left>,
    /// When the database answered last.
    pub answered: Cell<Option<Instant>>,
}

/// One worker on embeddings.
pub struct Shift<'w> {
    /// Where to connect.
    pub args: &'w Args,
    /// What was asked.
    pub wish: &'w Worker,
    /// Where it says what it does.
    pub output: &'w Output,
    /// What others may know.
    pub pulse: &'w Pulse,
    /// True: stop.
    pub stop: watch::Receiver<bool>,
}

impl Shift<'_> {
    /// Works until it is told to stop, with `--once` until nothing is ripe; session after session.
    pub async fn serve(&self) -> Result<u8, Error> {
        loop {
            match self.session().await {
                Ok(()) => return Ok(0),
                Err(error) if error.kind() == Kind::Forbidden && !self.is_asked_for() => {
                    self.output.log(&format!("no embeddings: {}", error.message()));
                    return Ok(0);
                }
                Err(error) if self.wish.once => return Err(error),
                Err(error) if self.is_hopeless(error.kind()) => return Err(error),
                // The session is given up and with it what it had claimed.
                Err(error) => self.output.log(&format!("embeddings: {}; trying again", error.message())),
            }
            if self.pause(self.poll()).await {
                return Ok(0);
            }
        }
    }

    /// What trying again does not change. A key is given once and for all, where a server may be starting.
    fn is_hopeless(&self, kind: Kind) -> bool {
        matches!(kind, Kind::NotInstalled | Kind::Forbidden)
            || self.wish.rest.is_some() && matches!(kind, Kind::NotAuthorized | Kind::BadArgument)
    }

    async fn session(&self) -> Result<(), Error> {
        let name = format!("strata worker {}", std::process::id());
        if let Some(url) = &self.wish.rest {
            return self.work(&ByRest::at(url, name)?).await;
        }
        let session = Session::open_installed(self.args).await?;
        session.ask("listening", &Statement::verbatim("listen strata_jobs")).await?;
        self.work(&BySession::on(&session, name).await?).await
    }

    async fn work<Q: Queue>(&self, queue: &Q) -> Result<(), Error> {
        let mut told = BTreeMap::new();
        loop {
            let desks = self.open(queue, &mut told).await?;
            self.answered();
            if self.until_next_look(queue, &desks).await? {
                return Ok(());
            }
        }
    }

    /// Between two looks for what nobody told of.
    fn poll(&self) -> Duration {
        let usual = if self.wish.rest.is_some() { CALM } else { Duration::from_secs(1) };
        self.wish.poll.map_or(usual, |seconds| Duration::from_secs(seconds.into()))
    }

    /// The models that rows are embedded with, as far as this process can work with them; why not is told once.
    async fn open<Q: Queue>(&self, queue: &Q, told: &mut BTreeMap<String, String>) -> Result<Desks, Error> {
        let mut desks = Desks::new();
        for model in queue.models().await? {
            match model.open() {
                Ok(provider) => drop(desks.insert(model.name, Desk::new(provider))),
                Err(error) => self.complain(told, &model.name, error.message()),
            }
        }
        Ok(desks)
    }

    /// Embeddings alone were asked for.
    fn is_asked_for(&self) -> bool {
        self.wish.only == Some(Task::Embeddings) || self.wish.rest.is_some()
    }

    fn complain(&self, told: &mut BTreeMap<String, String>, model: &str, why: &str) {
        if told.insert(model.to_owned(), why.to_owned()).as_deref() != Some(why) {
            self.output.log(&format!("model {model} is left to others: {why}"));
        }
    }

    /// Drains and rests. True: it is done for good.
    async fn until_next_look<Q: Queue>(&self, queue: &Q, desks: &Desks) -> Result<bool, Error> {
        let drain = Drain {
            queue,
            desks,
            batch: self.wish.batch,
            tally: &self.pulse.tally,
            broom: &self.pulse.broom,
            stop: self.stop.clone(),
            benched: RefCell::default(),
        };
        let (began, lanes) = (Instant::now(), self.wish.calls as usize);
        let mut benched = 0;
        loop {
            let done = tokio::select! {
                done = drain.run(lanes) => done,
                never = self.watch_over(queue, desks) => never,
            };
            if drain.benched.borrow().len() > benched {
                benched = drain.benched.borrow().len();
                self.hear(&drain);
            }
            done?;
            self.answered();
            if !drain.is_stopping() && self.walk(queue).await? {
                continue;
            }
            if self.wish.once || drain.is_stopping() {
                self.count(queue, desks).await?;
                self.tell();
                return if self.wish.once { self.verdict(&drain).map(|()| true) } else { Ok(true) };
            }
            if began.elapsed() > LOOK {
                self.count(queue, desks).await?;
                return Ok(false);
            }
            self.rest(&drain, lanes).await?;
        }
    }

    /// For cron, which tells of what ends with an error: whether rows were left behind because their provider failed.
    fn verdict<Q: Queue>(&self, drain: &Drain<'_, Q>) -> Result<(), Error> {
        let benched = drain.benched.borrow();
        let failed = match benched.values().next() {
            _ if drain.is_stopping() => None,
            Some(cause) => Some(provider_failed(cause.clone())),
            None => not_embedded(&self.pulse.tally, &self.pulse.left.borrow()),
        };
        failed.map_or(Ok(()), Err)
    }

    /// Queues more rows for the models that are being changed to. True: there is more to do now.
    async fn walk<Q: Queue>(&self, queue: &Q) -> Result<bool, Error> {
        for _ in 0..PAGES {
            let (new, done) = match queue.continue_changes(PAGE).await {
                // Somebody holds the next row: it is there for the next look.
                Err(error) if error.kind() == Kind::Locked => return Ok(false),
                told => told?,
            };
            if new > 0 || done {
                return Ok(new > 0);
            }
        }
        Ok(false)
    }

    /// Until a writer wakes us, or it is time to look.
    async fn rest<Q: Queue>(&self, drain: &Drain<'_, Q>, lanes: usize) -> Result<(), Error> {
        let rests = drain.queue.rest().await?;
        if rests {
            // What was written before we rested has woken nobody.
            drain.run(lanes).await?;
        }
        tokio::select! {
            () = drain.queue.woken() => {}
            _ = self.pause(self.poll()) => {}
        }
        if rests {
            drain.queue.rouse().await?;
        }
        Ok(())
    }

    /// True: we were told to stop meanwhile.
    async fn pause(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! { () = tokio::time::sleep(time) => false, _ = stop.wait_for(|stop| *stop) => true }
    }

    /// Progress, for as long as there is work.
    async fn watch_over<Q: Queue, T>(&self, queue: &Q, desks: &Desks) -> T {
        loop {
            tokio::time::sleep(TELL).await;
            // Its failure is the drain's too, and the drain tells it.
            let _ = self.count(queue, desks).await;
            self.tell();
        }
    }

    async fn count<Q: Queue>(&self, queue: &Q, desks: &Desks) -> Result<(), Error> {
        let models: Vec<String> = desks.keys().cloned().collect();
        *self.pulse.left.borrow_mut() = queue.left(&models).await?;
        self.answered();
        Ok(())
    }

    fn answered(&self) {
        self.pulse.answered.set(Some(Instant::now()));
    }

    /// Why models were benched.
    fn hear<Q>(&self, drain: &Drain<'_, Q>) {
        for (model, cause) in drain.benched.borrow().iter() {
            self.pulse.tally.complain(&cause.to_string());
            self.output.log(&format!("model {model} is left alone for {} s: {cause}", LOOK.as_secs()));
        }
    }

    fn tell(&self) {
        let (total, left) = (self.pulse.tally.total(), self.pulse.left.borrow());
        if total.calls == 0 && !(self.wish.once && self.is_asked_for()) {
            return;
        }
        let waiting = left.ripe + left.later + left.held + left.lent;
        let per_second = total.stored as f64 / total.busy.as_secs_f64().max(1e-9);
        let text = format!(
            "{} rows embedded, {per_second:.0} in a second of calls; {waiting} wait, {} are set aside",
            total.stored, left.dead
        );
        match self.wish.once {
            true => self.output.result(
                json!({"event": "embedded", "embedded": total.stored, "stale": total.stale, "failed": total.failed,
                       "calls": total.calls, "left": waiting, "dead": left.dead}),
                &text,
            ),
            false => self.output.log(&text),
        }
    }
}
