//! `embed`: queues every row that has no embedding, then claims, embeds and completes until the queue is empty.
//! No transaction is open while the provider works.

use crate::args::{Args, Embed};
use crate::output::Output;
use crate::provider::{self, Provider, ProviderError};
use crate::session::{Session, db_error, failed};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pgvector::Vector;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;
use strata_core::statement::{Statement, Value};
use strata_core::{Error, Kind};
use tokio_postgres::Row;
use uuid::Uuid;

/// Rows a page of the walk over a source. Large enough that the walk is not the work, small enough to lock briefly.
const PAGE: i64 = 1_000;

/// A registered source and the model that it is embedded with.
pub struct Source {
    /// Entity type.
    pub entity_type: String,
    /// Model.
    pub model: Model,
    /// Whether it can be searched by its words.
    pub has_words: bool,
}

/// An embedding model as the database knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Model {
    /// Name.
    pub name: String,
    /// Provider.
    pub provider: String,
    /// Dimensions of its vectors.
    pub dimensions: usize,
}

impl Model {
    /// Opens its provider.
    pub fn open(&self) -> Result<Box<dyn Provider>, Error> {
        provider::open(&self.provider, &self.name, self.dimensions).map_err(provider_failed)
    }
}

/// One claimed job.
struct Job {
    entity_type: String,
    id: Uuid,
    model: String,
    fence: i64,
    content: String,
    hash: Vec<u8>,
}

/// What came of the jobs so far.
#[derive(Default)]
struct Tally {
    stored: i64,
    stale: i64,
    failed: i64,
    last_error: Option<String>,
}

/// `strata embed`
pub async fn run(args: &Args, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let session = Session::open_installed(args).await?;
    let sources = sources(&session).await?;
    let providers = open_all(&sources)?;
    for provider in providers.values() {
        output.log(&format!("embedding with {} (provider {})", provider.model(), provider.name()));
    }
    let queued = queue_missing(&session, &sources).await?;
    output.log(&format!("{queued} rows have no embedding and are queued on {}", session.address()));
    let began = Instant::now();
    let bar = bar(output, waiting(&session).await?);
    let mut drain = Drain { session: &session, providers: &providers, bar, tally: Tally::default() };
    drain.run(&format!("strata embed {}", std::process::id()), embed.batch).await?;
    let Drain { tally, bar, .. } = drain;
    bar.finish_and_clear();
    warn_of_cuts(&providers, output);
    print(output, &tally, began.elapsed().as_secs_f64());
    match tally.last_error {
        None => Ok(0),
        Some(cause) => Err(Error::new(
            Kind::ProviderFailed,
            format!("{} rows could not be embedded: {cause}", tally.failed),
        )
        .hint("they are tried again by the next \"strata embed\"; strata.queue_status() counts them")),
    }
}

/// The registered sources; an error when there are none.
pub async fn sources(session: &Session) -> Result<Vec<Source>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/sources.sql"), Vec::new());
    let rows = session.ask("reading the sources", &statement).await?;
    let source = |row: &strata_core::statement::Row| {
        let text = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
        let dimensions = text(3).parse().unwrap_or(0);
        let model = Model { name: text(1), provider: text(2), dimensions };
        Source { entity_type: text(0), model, has_words: text(4) == "true" }
    };
    match rows.is_empty() {
        false => Ok(rows.iter().map(source).collect()),
        true => {
            Err(Error::new(Kind::NotFound, "no source is registered, so there is nothing to embed or search")
                .hint("register a table with strata.add_source, or run a pack that does"))
        }
    }
}

type Providers = BTreeMap<String, Box<dyn Provider>>;

fn open_all(sources: &[Source]) -> Result<Providers, Error> {
    let mut providers = Providers::new();
    for Source { model, .. } in sources {
        if !providers.contains_key(&model.name) {
            providers.insert(model.name.clone(), model.open()?);
        }
    }
    Ok(providers)
}

/// A provider's failure as an error of this command.
pub fn provider_failed(cause: ProviderError) -> Error {
    let kind = match cause {
        ProviderError::WrongDimension { .. } => Kind::WrongDimension,
        _ => Kind::ProviderFailed,
    };
    let error = Error::new(kind, cause.to_string());
    match cause.hint() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Text beyond what a model reads does not count towards its vector.
fn warn_of_cuts(providers: &Providers, output: &Output) {
    for provider in providers.values() {
        let cut = provider.cut();
        if cut.texts > 0 {
            let limit = provider.limits().tokens.unwrap_or_default();
            let (texts, model) = (cut.texts, provider.model());
            output.log(&format!(
                "{texts} texts are longer than the {limit} tokens that {model} reads; their ends do not count"
            ));
        }
    }
}

async fn queue_missing(session: &Session, sources: &[Source]) -> Result<i64, Error> {
    let mut queued = 0;
    for source in sources {
        let mut last: Option<String> = None;
        loop {
            let params = vec![source.entity_type.as_str().into(), last.as_deref().into(), Value::Int(PAGE)];
            let statement = Statement::ours(include_str!("../../sql/query/enqueue_missing.sql"), params);
            let rows = session.ask("queueing rows without an embedding", &statement).await?;
            let cell = |i: usize| rows.first().and_then(|row| row.get(i).cloned().flatten());
            queued += cell(0).and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
            last = cell(1);
            if last.is_none() {
                break;
            }
        }
    }
    Ok(queued)
}

async fn waiting(session: &Session) -> Result<u64, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/waiting.sql"), Vec::new());
    let rows = session.ask("counting the jobs", &statement).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok()).unwrap_or(0))
}

/// A progress bar over so many texts; hidden where nobody watches.
pub fn bar(output: &Output, length: u64) -> ProgressBar {
    if !output.is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("embedding {wide_bar} {pos}/{len} rows, {per_sec}, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.with_style(style.expect("the template is constant"))
}

/// Claims, embeds and completes until nothing is left.
struct Drain<'d> {
    session: &'d Session,
    providers: &'d Providers,
    bar: ProgressBar,
    tally: Tally,
}

impl Drain<'_> {
    async fn run(&mut self, worker: &str, batch: i32) -> Result<(), Error> {
        loop {
            let jobs = self.claim(worker, batch).await?;
            if jobs.is_empty() {
                return Ok(());
            }
            let mut by_model: BTreeMap<String, Vec<Job>> = BTreeMap::new();
            for job in jobs {
                by_model.entry(job.model.clone()).or_default().push(job);
            }
            for (model, jobs) in by_model {
                self.embed(&model, jobs).await?;
            }
        }
    }

    async fn claim(&self, worker: &str, batch: i32) -> Result<Vec<Job>, Error> {
        let sql = include_str!("../../sql/query/claim_jobs.sql");
        let rows = self.session.client().query(sql, &[&worker, &batch]).await;
        let rows = rows.map_err(|e| failed("claiming jobs", db_error(e)))?;
        rows.iter().map(job).collect::<Result<_, _>>().map_err(|e| failed("reading jobs", db_error(e)))
    }

    /// Embeds a batch. A row that the provider rejects is set aside; where it does not say which one, the batch is
    /// halved until that row stands alone. A provider that cannot work at all ends the command.
    async fn embed(&mut self, model: &str, jobs: Vec<Job>) -> Result<(), Error> {
        let mut left = vec![jobs];
        while let Some(mut jobs) = left.pop() {
            match self.vectors(model, &jobs).await {
                Ok(vectors) => self.complete(&jobs, vectors).await?,
                Err(cause @ ProviderError::Rejected { row, .. }) if jobs.len() > 1 => match row {
                    Some(row) if row < jobs.len() => {
                        self.fail(&[jobs.remove(row)], &cause).await?;
                        left.push(jobs);
                    }
                    _ => {
                        left.push(jobs.split_off(jobs.len() / 2));
                        left.push(jobs);
                    }
                },
                Err(cause) => {
                    self.fail(&jobs, &cause).await?;
                    if matches!(cause, ProviderError::Misconfigured { .. } | ProviderError::WrongShape { .. })
                    {
                        return Err(provider_failed(cause));
                    }
                }
            }
        }
        Ok(())
    }

    async fn vectors(&self, model: &str, jobs: &[Job]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let Some(provider) = self.providers.get(model) else {
            return Err(ProviderError::misconfigured(format!(
                "model {model} was registered after this command began"
            )));
        };
        let texts: Vec<String> = jobs.iter().map(|job| job.content.clone()).collect();
        provider::checked(provider.as_ref(), &texts).await
    }

    async fn complete(&mut self, jobs: &[Job], vectors: Vec<Vec<f32>>) -> Result<(), Error> {
        let (types, ids, fences) = keys(jobs);
        let hashes: Vec<&[u8]> = jobs.iter().map(|job| job.hash.as_slice()).collect();
        let vectors: Vec<Vector> = vectors.into_iter().map(Vector::from).collect();
        let sql = include_str!("../../sql/query/complete_jobs.sql");
        let row = self.session.client().query_one(sql, &[&types, &ids, &fences, &hashes, &vectors]).await;
        let row = row.map_err(|e| failed("storing embeddings", db_error(e)))?;
        self.tally.stored += i64::from(row.get::<_, i32>(0));
        self.tally.stale += i64::from(row.get::<_, i32>(1));
        self.bar.inc(jobs.len() as u64);
        Ok(())
    }

    async fn fail(&mut self, jobs: &[Job], cause: &ProviderError) -> Result<(), Error> {
        let (types, ids, fences) = keys(jobs);
        let (message, wait) = (cause.to_string(), cause.retry_after().map(|wait| wait.as_secs_f64()));
        let sql = include_str!("../../sql/query/fail_jobs.sql");
        let told = self.session.client().query_one(sql, &[&types, &ids, &fences, &message, &wait]).await;
        told.map_err(|e| failed("recording failed jobs", db_error(e)))?;
        self.tally.failed += jobs.len() as i64;
        self.tally.last_error = Some(message);
        Ok(())
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
    })
}

fn keys(jobs: &[Job]) -> (Vec<&str>, Vec<Uuid>, Vec<i64>) {
    let types = jobs.iter().map(|job| job.entity_type.as_str()).collect();
    (types, jobs.iter().map(|job| job.id).collect(), jobs.iter().map(|job| job.fence).collect())
}

fn print(output: &Output, tally: &Tally, seconds: f64) {
    let json = json!({
        "embedded": tally.stored, "stale": tally.stale, "failed": tally.failed, "seconds": seconds,
        "rows_per_second": tally.stored as f64 / seconds.max(1e-9),
    });
    let stale = match tally.stale {
        0 => String::new(),
        n => format!(", {n} changed meanwhile and queued again"),
    };
    output.result(json, &format!("{} rows embedded in {seconds:.1} s{stale}", tally.stored));
}
