//! `embed`: queues every row that has no embedding, and drains the queue until every row has one.

use crate::args::{Args, Embed, Reindex};
use crate::drain::broom::Broom;
use crate::drain::by_rest::ByRest;
use crate::drain::by_session::BySession;
use crate::drain::queue::{Left, Queue};
use crate::drain::tally::Tally;
use crate::drain::{Desk, Desks, Drain};
use crate::drive::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::sources::{Model, PAGE, Registered, Walk, provider_failed, some};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use strata_core::{Error, Kind};
use tokio::sync::watch;

/// Longest that the command waits for a job to be tried again.
const PATIENCE: f64 = 30.0;

/// Exit code where rows are left that others hold, and it cannot be known whether they work, or that wait for long.
const NOT_ALL: u8 = 3;

/// Longest that a row is waited for that somebody holds, as a page of rows without an embedding waits.
const HELD: Duration = Duration::from_secs(10);

/// SQLSTATEs of a source whose table, schema or column is gone.
const GONE: [&str; 3] = ["42P01", "3F000", "42703"];

/// `strata embed`
pub async fn run(args: &Args, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let name = format!("strata embed {}", std::process::id());
    match &embed.rest {
        Some(url) => {
            let queue = ByRest::at(url, name)?;
            missing((&queue, queue.address()), embed, output).await
        }
        None => {
            let session = Session::open_installed(args).await?;
            let queue = BySession::on(&session, name).await?;
            missing((&queue, session.address()), embed, output).await
        }
    }
}

async fn missing<Q: Queue>(
    (queue, address): (&Q, &str),
    embed: &Embed,
    output: &Output,
) -> Result<u8, Error> {
    let sources = some(queue.sources().await?)?;
    let desks = open_all(&queue.models().await?)?;
    tell_of(&desks, output);
    let walked = sources.iter().filter(|source| source.queued);
    let (mut queued, broken) = walk_all(queue, walked, &Walk::Missing).await?;
    queued += queue_changes(queue).await?;
    output.log(&format!("{queued} rows have no embedding and are queued on {address}"));
    let code = drain(queue, &desks, embed, output).await?;
    broken.map_or(Ok(code), Err)
}

/// `strata reindex`
pub async fn again(args: &Args, reindex: &Reindex, output: &Output) -> Result<u8, Error> {
    let name = format!("strata embed {}", std::process::id());
    match &reindex.embed.rest {
        Some(url) => {
            let queue = ByRest::at(url, name)?;
            all_again((&queue, queue.address()), reindex, output).await
        }
        None => {
            let session = Session::open_installed(args).await?;
            let queue = BySession::on(&session, name).await?;
            all_again((&queue, session.address()), reindex, output).await
        }
    }
}

async fn all_again<Q: Queue>(
    (queue, address): (&Q, &str),
    reindex: &Reindex,
    output: &Output,
) -> Result<u8, Error> {
    let mut sources = some(queue.sources().await?)?;
    if let Some(types) = &reindex.types {
        if let Some(unknown) = types.iter().find(|name| !sources.iter().any(|s| s.entity_type == **name)) {
            return Err(Error::new(Kind::NotFound, format!("source \"{unknown}\" does not exist"))
                .hint("look into strata.source"));
        }
        sources.retain(|source| types.contains(&source.entity_type));
    } else {
        sources.retain(|source| source.queued);
    }
    let desks = open_all(&queue.models().await?)?;
    tell_of(&desks, output);
    let again = Walk::Again { only_other: reindex.other_models };
    let (queued, broken) = walk_all(queue, sources.iter(), &again).await?;
    output.log(&format!("{queued} rows are queued to be embedded again on {address}"));
    let code = drain(queue, &desks, &reindex.embed, output).await?;
    broken.map_or(Ok(code), Err)
}

fn tell_of(desks: &Desks, output: &Output) {
    for desk in desks.values() {
        output.log(&format!("embedding with {} (provider {})", desk.provider.model(), desk.provider.name()));
    }
}

/// Until nothing is left, with a bar where somebody watches.
async fn drain<Q: Queue>(queue: &Q, desks: &Desks, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let (began, tally, broom) = (Instant::now(), Tally::default(), Broom::default());
    let drain = Drain {
        queue,
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
async fn drain_all<Q: Queue>(drain: &Drain<'_, Q>, lanes: u32, output: &Output) -> Result<Left, Error> {
    let models: Vec<String> = drain.desks.keys().cloned().collect();
    let mut told = "";
    loop {
        drain.run(lanes as usize).await?;
        let working = drain.models();
        // Of a model that cannot work nothing is waited for.
        let left = drain.queue.left(&working).await?;
        let why = why_to_wait(&left);
        if why.is_empty() || drain.is_stopping() || working.is_empty() {
            return if working.len() == models.len() { Ok(left) } else { drain.queue.left(&models).await };
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

/// None: no row was left behind because its provider failed.
pub fn not_embedded(tally: &Tally, left: &Left) -> Option<Error> {
    let (rows, cause) = (left.later + tally.total().dead as i64, tally.last_error()?);
    (rows > 0).then(|| {
        Error::new(Kind::ProviderFailed, format!("{rows} rows could not be embedded: {cause}"))
            .hint("strata.queue_status() counts them; strata.retry_dead() has what was set aside tried again")
    })
}

/// Whether it did what it was asked.
fn verdict<Q: Queue>(drain: &Drain<'_, Q>, left: &Left, output: &Output) -> Result<u8, Error> {
    if let Some(cause) = drain.benched.borrow().values().next() {
        return Err(provider_failed(cause.clone()));
    }
    if drain.is_stopping() {
        return Err(Error::new(Kind::Interrupted, "stopped; what is left waits in the queue")
            .hint("run \"strata embed\" again"));
    }
    if let Some(error) = not_embedded(drain.tally, left) {
        return Err(error);
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
        let until =
            left.lent_until.as_ref().map_or("when its lease is over".to_owned(), |at| format!("at {at}"));
        let rows = left.lent;
        output.log(&format!(
            "{rows} rows are held by another worker, of which nobody can see whether it works; if it does not, they are \
             free {until}"
        ));
        return Ok(NOT_ALL);
    }
    if left.later > 0 {
        let (rows, next) = (left.later, left.next.unwrap_or_default());
        output.log(&format!("{rows} rows wait to be tried again, the first in {next:.0} s"));
        return Ok(NOT_ALL);
    }
    Ok(0)
}

fn open_all(models: &[Model]) -> Result<Desks, Error> {
    models.iter().map(|model| Ok((model.name.clone(), Desk::new(model.open()?)))).collect()
}

async fn queue_changes<Q: Queue>(queue: &Q) -> Result<i64, Error> {
    let (mut queued, mut moved) = (0, Instant::now());
    loop {
        let (new, done) = match queue.continue_changes(PAGE).await {
            Err(error) if error.kind() == Kind::Locked && moved.elapsed() < HELD => {
                tokio::time::sleep(Duration::from_millis(250)).await;
                continue;
            }
            told => told?,
        };
        (queued, moved) = (queued + new, Instant::now());
        if done {
            return Ok(queued);
        }
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

/// Walks these sources; how many jobs are new. One whose table or column is gone holds up no other: what is wrong with the
/// first of them is told when the others are done.
async fn walk_all<'s, Q: Queue>(
    queue: &Q,
    sources: impl Iterator<Item = &'s Registered>,
    how: &Walk,
) -> Result<(i64, Option<Error>), Error> {
    let (mut queued, mut broken) = (0, None);
    for source in sources {
        match walk(queue, source, how).await {
            Ok(new) => queued += new,
            Err(error) if GONE.contains(&error.sqlstate()) => {
                broken.get_or_insert_with(|| left_out(&source.entity_type, &error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((queued, broken))
}

fn left_out(entity_type: &str, cause: &Error) -> Error {
    Error::new(Kind::Failed, format!("source \"{entity_type}\" was left out: {}", cause.message()))
        .with_sqlstate(cause.sqlstate())
        .hint("strata.sources() says what is wrong with it: repair the table, or call strata.drop_source")
}

/// Page by page to the end; how many jobs are new.
async fn walk<Q: Queue>(queue: &Q, source: &Registered, walk: &Walk) -> Result<i64, Error> {
    let (mut queued, mut last) = (0, None::<String>);
    loop {
        let (new, after) = queue.page(&source.entity_type, walk, last.as_deref()).await?;
        queued += new;
        last = after;
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
