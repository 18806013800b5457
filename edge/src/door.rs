//! The side of the host: takes a `Request`, asks the database with `fetch`, answers a `Response`.

mod behind;
mod database;
mod embed;
mod host;
mod incoming;
mod outgoing;
mod provider;
mod search;
mod watch;

use crate::answer::{self, Answer, Cancelled, DryRun, Health, Pack, Signed, Started, Verified};
use crate::body;
use crate::budget::Budget;
use crate::caller::Caller;
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::request::{Embed, Migrate, Search, SignOff, Verify};
use crate::route::{PackName, Route, RunId};
use crate::rpc;
use crate::settings::Settings;
use database::Database;
use incoming::Incoming;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

/// The function: made once for each instance.
#[wasm_bindgen]
pub struct Edge {
    settings: Settings,
    database: Rc<Database>,
}

#[wasm_bindgen]
impl Edge {
    /// `variable` reads the environment; `panicked` is told when this instance cannot go on.
    #[wasm_bindgen(constructor)]
    pub fn new(variable: &js_sys::Function, panicked: js_sys::Function) -> Result<Edge, JsError> {
        host::tell_panics(panicked);
        let read = |name: &str| variable.call1(&JsValue::NULL, &name.into()).ok()?.as_string();
        let settings = Settings::read(read).map_err(|refusal| JsError::new(&refusal))?;
        let database = Rc::new(Database::new(&settings.url));
        Ok(Edge { settings, database })
    }

    /// Answers a request, whatever it is.
    pub async fn handle(&self, request: Request) -> Result<Response, JsValue> {
        let incoming = Incoming::new(request);
        let outcome = self.answer(&incoming).await;
        incoming.discard().await;
        match outcome {
            Ok(Outcome::Answer(answer)) => outgoing::response(&answer),
            Ok(Outcome::Stream(response)) => Ok(response),
            Err(fault) => outgoing::response(&fault.into()),
        }
    }
}

/// What a route comes to.
enum Outcome {
    Answer(Answer),
    Stream(Response),
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Outcome {
        Outcome::Answer(answer)
    }
}

impl Edge {
    async fn answer(&self, incoming: &Incoming) -> Result<Outcome, Fault> {
        if incoming.method() == "OPTIONS" {
            return Ok(Answer::preflight().into());
        }
        let route = Route::find(&incoming.method(), &incoming.path())?;
        if let Some(answer) = for_anybody(&route) {
            return Ok(answer.into());
        }
        let caller = self.caller(incoming)?;
        let Some(credentials) = caller.require(route.right())? else {
            return Err(Fault::unauthorized("nobody is signed in"));
        };
        body::announced(incoming.header("content-length").as_deref())?;
        self.route(route, incoming, credentials).await
    }

    fn caller(&self, incoming: &Incoming) -> Result<Caller, Fault> {
        let (authorization, apikey) = (incoming.header("authorization"), incoming.header("apikey"));
        let shown =
            crate::caller::Shown { authorization: authorization.as_deref(), apikey: apikey.as_deref() };
        self.settings.project.caller(shown, host::now())
    }

    async fn route(&self, route: Route, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        match route {
            Route::Health => Ok(health().into()),
            Route::Openapi => Ok(description().into()),
            Route::Migrate => self.migrate(incoming, by).await,
            Route::Run(run) if incoming.wants_events() => {
                watch::stream(self.database.clone(), run, by.clone()).await.map(Outcome::Stream)
            }
            Route::Run(run) => self.run(&run, by).await,
            Route::Report(run) => self.report(&run, by).await,
            Route::Cancel(run) => self.cancel(&run, by).await,
            Route::Resume(run) => self.resume(&run, incoming, by).await,
            Route::Pack(pack) => self.pack(&pack, by).await,
            Route::Verify => self.verify(incoming, by).await,
            Route::SignOff => self.sign_off(incoming, by).await,
            Route::Embed => self.embed(incoming, by).await,
            Route::Search => self.search(incoming, by).await,
        }
    }

    async fn migrate(&self, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        let key = body::idempotency_key(incoming.header("idempotency-key").as_deref())?;
        let asked: Migrate = incoming.json().await?;
        let said = self.database.call(&rpc::start_run(&asked, key.as_deref()), by).await?;
        started(answer::read(said)?, incoming)
    }

    async fn run(&self, run: &RunId, by: &Credentials) -> Result<Outcome, Fault> {
        Ok(Answer::json(200, &self.database.progress(run, by).await?).into())
    }

    async fn report(&self, run: &RunId, by: &Credentials) -> Result<Outcome, Fault> {
        let found: DryRun = answer::row(self.database.call(&rpc::dry_run_report(run), by).await?)?;
        Ok(Answer::json(200, &found).into())
    }

    async fn cancel(&self, run: &RunId, by: &Credentials) -> Result<Outcome, Fault> {
        let cancelled = answer::read(self.database.call(&rpc::cancel_run(run), by).await?)?;
        Ok(Answer::json(200, &Cancelled { cancelled }).into())
    }

    async fn resume(&self, run: &RunId, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        started(answer::read(self.database.call(&rpc::resume_run(run), by).await?)?, incoming)
    }

    async fn pack(&self, name: &PackName, by: &Credentials) -> Result<Outcome, Fault> {
        let versions = answer::read(self.database.call(&rpc::migration_status(name), by).await?)?;
        let phases = answer::read(self.database.call(&rpc::phase_status(name), by).await?)?;
        let checklist = answer::read(self.database.call(&rpc::checklist(name), by).await?)?;
        let runs: Vec<answer::OpenRun> =
            answer::read(self.database.call(&rpc::unfinished_run(name), by).await?)?;
        let (plan, refused) = match self.database.call(&rpc::plan(name), by).await {
            Ok(said) => (Some(answer::read(said)?), None),
            Err(fault) if fault.status < 500 => (None, Some(*fault.body)),
            Err(fault) => return Err(fault),
        };
        let (pack, run) = (name.as_str().to_owned(), runs.into_iter().next());
        Ok(Answer::json(200, &Pack { pack, versions, phases, run, plan, refused, checklist }).into())
    }

    async fn verify(&self, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        let asked: Verify = incoming.json().await?;
        let checks: Vec<answer::Check> =
            answer::read(self.database.call(&rpc::verify(&asked.pack), by).await?)?;
        let ok = checks.iter().all(|check| check.ok);
        Ok(Answer::json(200, &Verified { ok, checks }).into())
    }

    async fn sign_off(&self, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        let asked: SignOff = incoming.json().await?;
        let signature = answer::read(self.database.call(&rpc::sign_off(&asked), by).await?)?;
        Ok(Answer::json(201, &Signed { signature }).into())
    }

    async fn embed(&self, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        let budget = Budget::of(&incoming.json::<Embed>().await?)?;
        let (database, providers) = (self.database.clone(), &self.settings.providers);
        let drained = embed::embed(database, providers, budget, by.clone()).await?;
        Ok(Answer::json(200, &drained).into())
    }

    async fn search(&self, incoming: &Incoming, by: &Credentials) -> Result<Outcome, Fault> {
        let asked: Search = incoming.json().await?;
        let door = search::Door { database: &self.database, providers: &self.settings.providers, by };
        Ok(Answer::json(200, &door.search(&asked).await?).into())
    }
}

/// What is answered without asking who asks.
fn for_anybody(route: &Route) -> Option<Answer> {
    match route {
        Route::Health => Some(health()),
        Route::Openapi => Some(description()),
        _ => None,
    }
}

fn health() -> Answer {
    Answer::json(200, &Health::ok())
}

fn description() -> Answer {
    Answer::text(200, answer::OPENAPI)
}

/// A run is accepted: it goes on by itself, and is looked at elsewhere.
fn started(run: String, incoming: &Incoming) -> Result<Outcome, Fault> {
    let location = format!("{}/runs/{run}", incoming.base());
    Ok(Answer::json(202, &Started { run }).at(location).into())
}
