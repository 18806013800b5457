//! `worker`: goes on with runs that nobody executes, and drains the queue of embeddings. Any number of them may stand side by
//! side, on any number of machines.

mod embeddings;
mod found;
mod metrics;
mod runs;
mod turn;

use crate::args::{Args, Task, Worker};
use crate::embed::stop_asked;
use crate::output::Output;
use embeddings::{Pulse, Shift};
use strata_core::Error;

/// Works until it is told to stop; with `--once` until there is nothing to do now, with the exit code of what failed first.
pub async fn run(args: &Args, wish: &Worker, output: &Output) -> Result<u8, Error> {
    let pulse = Pulse::default();
    let work = work(args, wish, output, &pulse);
    match &wish.metrics {
        None => work.await,
        Some(address) => {
            let listener = metrics::listen(address).await?;
            tokio::select! { done = work => done, never = metrics::serve(listener, &pulse) => never }
        }
    }
}

async fn work(args: &Args, wish: &Worker, output: &Output, pulse: &Pulse) -> Result<u8, Error> {
    let shift = Shift { args, wish, output, pulse, stop: stop_asked() };
    // Runs need sessions: they are gone on with by whoever has one.
    let only = wish.rest.as_ref().map_or(wish.only, |_| Some(Task::Embeddings));
    match (only, wish.once) {
        (Some(Task::Runs), _) => runs::run(args, wish, output).await,
        (Some(Task::Embeddings), _) => shift.serve().await,
        (None, true) => {
            let failed = runs::run(args, wish, output).await?;
            let worse = shift.serve().await?;
            Ok(if failed == 0 { worse } else { failed })
        }
        (None, false) => {
            let (failed, worse) = tokio::try_join!(runs::run(args, wish, output), shift.serve())?;
            Ok(if failed == 0 { worse } else { failed })
        }
    }
}
