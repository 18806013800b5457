//! `embed`: queues every row that has no embedding, and drains the queue until every row has one.

use crate::args::{Args, Embed, Reindex};
use crate::drain::broom::Broom;
use crate::drain::queue::{Left, Queue};
use crate::drain::tally::Tally;
use crate::drain::{Desk, Desks, Drain};
use crate::drive::Stop;
use crate::output::Output;
use crate::provider::{self, Provider, ProviderError};
use crate::session::Session;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use strata_core::statement::{Statement, Value};
use strata_core::{Error, Kind};
use tokio::sync::watch;

/// Rows a page of the walk over a source. Large enough that the walk is not the work, small enough to lock briefly.
const PAGE: i64 = 1_000;

/// Longest that the command waits for a job to be tried again.
const PATIENCE: f64 = 30.0;

/// Exit code where others hold rows and it cannot be known whether they work.
const NOT_ALL: u8 = 3;

/// A registered source and the model that it is embedded with.
pub struct Source {
    /// Entity type.
    pub entity_type: String,
    /// Model.
    pub model: Model,
    /// Whether it can be searched by its words.
    pub has_words: bool,
    /// Whether its rows are embedded here; else the application does it.
    pub is_queued: bool,
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

/// `strata embed`
pub async fn run(args: &Args, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let session = Session::open_installed(args).await?;
    let sources = sources(&session).await?;
    let desks = open_all(&models(&session).await?)?;
    tell_of(&desks, output);
    let queued = queue_missing(&session, &sources).await? + queue_changes(&session).await?;
    output.log(&format!("{queued} rows have no embedding and are queued on {}", session.address()));
    drain(&session, &desks, embed, output).await
}

/// `strata reindex`
pub async fn again(args: &Args, reindex: &Reindex, output: &Output) -> Result<u8, Error> {
    let session = Session::open_installed(args).await?;
    let mut sources = sources(&session).await?;
    if let Some(types) = &reindex.types {
        if let Some(unknown) = types.iter().find(|name| !sources.iter().any(|s| s.entity_type == **name)) {
            return Err(Error::new(Kind::NotFound, format!("source \"{unknown}\" does not exist"))
                .hint("look into strata.source"));
        }
        sources.retain(|source| types.contains(&source.entity_type));
    } else {
        sources.retain(|source| source.is_queued);
    }
    let desks = open_all(&models(&session).await?)?;
    tell_of(&desks, output);
    let mut queued = 0;
    for source in &sources {
        queued += walk(&session, source, &Walk::Again { only_other: reindex.other_models }).await?;
    }
    output.log(&format!("{queued} rows are queued to be embedded again on {}", session.address()));
    drain(&session, &desks, &reindex.embed, output).await
}

fn tell_of(desks: &Desks, output: &Output) {
    for desk in desks.values() {
        output.log(&format!("embedding with {} (provider {})", desk.provider.model(), desk.provider.name()));
    }
}

/// Until nothing is left, with a bar where somebody watches.
async fn drain(session: &Session, desks: &Desks, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let (began, tally, broom) = (Instant::now(), Tally::default(), Broom::default());
    let drain = Drain {
        queue: Queue::new(session, format!("strata embed {}", std::process::id())),
        desks,
        batch: embed.batch,
        tally: &tally,
        broom: &broom,
        stop: stop_asked(),
        benched: RefCell::default(),
    };
    let bar = bar(output, u64::try_from(drain.queue.left(&drain.models()).await?.ripe).unwrap_or(0));
    let left = tokio::select! {
        left = drain_all(&drain, embed.calls, output) => left?,
        never = watch_over(&bar, &tally) => never,
    };
    bar.finish_and_clear();
    warn_of_cuts(desks, output);
    print(output, &tally, &left, began.elapsed().as_secs_f64());
    verdict(&drain, &left, output)
}

/// True when the operator wants this process to stop.
pub fn stop_asked() -> watch::Receiver<bool> {
    let (tell, stop) = watch::channel(false);
    let mut signals = Stop::listen();
    tokio::spawn(async move {
        signals.asked().await;
        let _ = tell.send(true);
        // The receivers know that nobody will call it off.
        tell.closed().await;
    });
    stop
}

/// Drains until nothing is left, or only what would take too long to wait for.
async fn drain_all(drain: &Drain<'_>, lanes: u32, output: &Output) -> Result<Left, Error> {
    let models: Vec<String> = drain.desks.keys().cloned().collect();
    let mut told = "";
    loop {
        drain.run(lanes as usize).await?;
        let left = drain.queue.left(&models).await?;
        let why = why_to_wait(&left);
        if why.is_empty() || drain.is_stopping() || drain.models().is_empty() {
            return Ok(left);
        }
        if told != why {
            output.log(&format!("{} rows left: {why}", left.ripe + left.later + left.held));
            told = why;
        }
        let mut stop = drain.stop.clone();
        let pause = Duration::from_secs_f64(left.next.unwrap_or(0.0).clamp(0.2, 1.0));
        tokio::select! { () = tokio::time::sleep(pause) => {}, _ = stop.wait_for(|stop| *stop) => {} }
    }
}

/// Empty: there is nothing to wait for.
fn why_to_wait(left: &Left) -> &'static str {
    if left.ripe > 0 {
        "their model has used up its limits, or they were queued just now"
    } else if left.held > 0 {
        "other workers have them"
    } else if left.later > 0 && left.next.is_some_and(|next| next <= PATIENCE) {
        "they failed, and are tried again soon"
    } else {
        ""
    }
}

/// Whether it did what it was asked.
fn verdict(drain: &Drain<'_>, left: &Left, output: &Output) -> Result<u8, Error> {
    if let Some(cause) = drain.benched.borrow().values().next() {
        return Err(provider_failed(cause.clone()));
    }
    if drain.is_stopping() {
        return Err(Error::new(Kind::Interrupted, "stopped; what is left waits in the queue")
            .hint("run \"strata embed\" again"));
    }
    let dead = drain.tally.total().dead as i64;
    if let (Some(cause), 1..) = (drain.tally.last_error(), left.later + dead) {
        let message = format!("{} rows could not be embedded: {cause}", left.later + dead);
        return Err(Error::new(Kind::ProviderFailed, message).hint(
            "strata.queue_status() counts them; strata.retry_dead() has what was set aside tried again",
        ));
    }
    if left.stopped > 0 {
        let stopped = left.stopped;
        output.log(&format!(
            "{stopped} rows wait: the budget of their model is used up; \"strata model budget\" sets another"
        ));
    }
    if left.dead > 0 {
        let aside = left.dead;
        output.log(&format!("{aside} rows were set aside earlier: strata.retry_dead() has them tried again"));
    }
    if left.lent > 0 {
        let (rows, until) = (left.lent, left.lent_until.as_deref().unwrap_or("later"));
        output.log(&format!(
            "{rows} rows are held by another worker, of which nobody can see whether it works; if it does not, they are \
             free at {until}"
        ));
        return Ok(NOT_ALL);
    }
    Ok(0)
}

/// The registered sources; an error when there are none.
pub async fn sources(session: &Session) -> Result<Vec<Source>, Error> {
    let rows = registered(session).await?;
    match rows.is_empty() {
        false => Ok(rows),
        true => {
            Err(Error::new(Kind::NotFound, "no source is registered, so there is nothing to embed or search")
                .hint("register a table with strata.add_source, or run a pack that does"))
        }
    }
}

/// The same, which may be none.
pub async fn registered(session: &Session) -> Result<Vec<Source>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/sources.sql"), Vec::new());
    let rows = session.ask("reading the sources", &statement).await?;
    let source = |row: &strata_core::statement::Row| {
        let text = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
        let dimensions = text(3).parse().unwrap_or(0);
        let model = Model { name: text(1), provider: text(2), dimensions };
        Source { entity_type: text(0), model, has_words: text(4) == "true", is_queued: text(5) == "true" }
    };
    Ok(rows.iter().map(source).collect())
}

/// The models that rows are embedded with: those that sources are searched by, and those that they are changed to.
pub async fn models(session: &Session) -> Result<Vec<Model>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/embedded_models.sql"), Vec::new());
    let rows = session.ask("reading the models", &statement).await?;
    let model = |row: &strata_core::statement::Row| {
        let text = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
        Model { name: text(0), provider: text(1), dimensions: text(2).parse().unwrap_or(0) }
    };
    Ok(rows.iter().map(model).collect())
}

fn open_all(models: &[Model]) -> Result<Desks, Error> {
    models.iter().map(|model| Ok((model.name.clone(), Desk::new(model.open()?)))).collect()
}

/// One page of the walks of all changes of models: how many jobs are new, and whether every walk is at its end.
pub async fn queue_change(session: &Session) -> Result<(i64, bool), Error> {
    let sql = include_str!("../../sql/query/continue_model_changes.sql");
    let rows =
        session.ask("queueing rows for another model", &Statement::ours(sql, vec![Value::Int(PAGE)])).await?;
    let cell = |i: usize| rows.first().and_then(|row| row.get(i).cloned().flatten()).unwrap_or_default();
    Ok((cell(0).parse().unwrap_or(0), cell(1) == "true"))
}

async fn queue_changes(session: &Session) -> Result<i64, Error> {
    let mut queued = 0;
    loop {
        let (new, done) = queue_change(session).await?;
        queued += new;
        if done {
            return Ok(queued);
        }
    }
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
fn warn_of_cuts(desks: &Desks, output: &Output) {
    for provider in desks.values().map(|desk| &desk.provider) {
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
    for source in sources.iter().filter(|source| source.is_queued) {
        queued += walk(session, source, &Walk::Missing).await?;
    }
    Ok(queued)
}

/// Which rows of a source are queued.
enum Walk {
    /// Those that have no vector.
    Missing,
    /// Those that have one too; only where it is of another model.
    Again { only_other: bool },
}

impl Walk {
    fn page(&self, source: &Source, last: Option<&str>) -> Statement {
        let mut params = vec![source.entity_type.as_str().into(), last.into(), Value::Int(PAGE)];
        match self {
            Walk::Missing => Statement::ours(include_str!("../../sql/query/enqueue_missing.sql"), params),
            Walk::Again { only_other } => {
                params.push(Value::Bool(*only_other));
                Statement::ours(include_str!("../../sql/query/enqueue_again.sql"), params)
            }
        }
    }
}

/// Page by page to the end; how many jobs are new.
async fn walk(session: &Session, source: &Source, walk: &Walk) -> Result<i64, Error> {
    let (mut queued, mut last) = (0, None::<String>);
    loop {
        let rows = session.ask("queueing rows", &walk.page(source, last.as_deref())).await?;
        let cell = |i: usize| rows.first().and_then(|row| row.get(i).cloned().flatten());
        queued += cell(0).and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
        last = cell(1);
        if last.is_none() {
            return Ok(queued);
        }
    }
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

/// Moves the bar for as long as it is waited for something else.
async fn watch_over(bar: &ProgressBar, tally: &Tally) -> Left {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bar.set_position(tally.total().stored);
    }
}

fn print(output: &Output, tally: &Tally, left: &Left, seconds: f64) {
    let total = tally.total();
    let rest = left.ripe + left.later + left.held + left.lent + left.stopped;
    let json = json!({
        "embedded": total.stored, "stale": total.stale, "failed": left.later + total.dead as i64, "left": rest,
        "calls": total.calls, "seconds": seconds, "rows_per_second": total.stored as f64 / seconds.max(1e-9),
    });
    let stale = match total.stale {
        0 => String::new(),
        n => format!(", {n} changed meanwhile"),
    };
    let rest = if rest == 0 { String::new() } else { format!(", {rest} left") };
    output.result(json, &format!("{} rows embedded in {seconds:.1} s{stale}{rest}", total.stored));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_what_will_come_by_itself_and_not_for_what_takes_long() {
        let left = |change: fn(&mut Left)| {
            let mut left = Left::default();
            change(&mut left);
            !why_to_wait(&left).is_empty()
        };
        assert!(!left(|_| {}));
        assert!(left(|l| l.ripe = 1));
        assert!(left(|l| l.held = 1));
        assert!(left(|l| (l.later, l.next) = (1, Some(4.0))));
        assert!(!left(|l| (l.later, l.next) = (1, Some(400.0))));
        assert!(!left(|l| (l.lent, l.dead) = (1, 1)));
    }
}
