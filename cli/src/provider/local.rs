//! The local provider: all-MiniLM-L6-v2 in this process, without network.
//!
//! The model is read at the first call and stays. The work is done on tokio's blocking threads; dropping the future
//! ends it after the pass that is running.

mod engine;
mod files;
#[cfg(test)]
mod tests;
mod tokens;

use crate::provider::{Answer, Cut, Limits, Provider, ProviderError};
use engine::Engine;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use strata_core::embed::{self, Chunking};
use tokio::sync::OnceCell;

/// As in `strata.model.provider`.
pub const NAME: &str = "local";

/// The only model that is pinned. Its name is also that of its folder.
const MODEL: &str = "all-MiniLM-L6-v2";

/// Components of its vectors.
const DIMENSIONS: usize = 384;

/// Texts per call. Far more than one pass through the model takes, so that sorting by length pays.
const TEXTS: usize = 256;

/// The local model.
pub struct Local {
    /// Where its files are; `None` asks the environment and the cache when they are read.
    folder: Option<PathBuf>,
    engine: OnceCell<Arc<Engine>>,
    cut_texts: AtomicU64,
    cut_tokens: AtomicU64,
}

/// Opens the model of this name. Misconfigured when it is not the pinned one; wrong dimension when it has others.
pub fn open(model: &str, dimensions: usize) -> Result<Local, ProviderError> {
    if model != MODEL {
        return Err(ProviderError::misconfigured(format!("provider {NAME:?} has no model {model:?}"))
            .with_hint(format!("its models are: {MODEL}")));
    }
    if dimensions != DIMENSIONS {
        let reason = format!("model {MODEL} has {DIMENSIONS} dimensions, not {dimensions}");
        let hint = format!("register it with {DIMENSIONS} dimensions and use vector({DIMENSIONS}) columns");
        return Err(ProviderError::WrongDimension { reason, hint });
    }
    Ok(Local::at(None))
}

/// Keeps the tensor library's own pool of threads at one: see `engine`. It reads its environment and nothing else.
/// A person's setting stays.
///
/// # Safety
/// No other thread may run yet.
#[expect(unsafe_code, reason = "the environment is the only way to tell the tensor library")]
pub unsafe fn calm_tensors() {
    const THREADS: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(THREADS).is_none() {
        // SAFETY: the caller promises that no other thread could be reading the environment.
        unsafe { std::env::set_var(THREADS, "1") };
    }
}

impl Local {
    fn at(folder: Option<PathBuf>) -> Self {
        let (cut_texts, cut_tokens) = (AtomicU64::new(0), AtomicU64::new(0));
        Local { folder, engine: OnceCell::new(), cut_texts, cut_tokens }
    }

    /// The model, read from its folder by the first who asks. A failure is not kept: the next call tries again.
    async fn engine(&self) -> Result<Arc<Engine>, ProviderError> {
        let load = || {
            let folder = self.folder.clone();
            blocking(move || Ok(Arc::new(Engine::load(files::read(&files::folder(folder)?)?)?)))
        };
        self.engine.get_or_try_init(load).await.cloned()
    }

    async fn divided(&self, text: &str, chunking: Chunking) -> Result<Vec<Range<usize>>, ProviderError> {
        let engine = self.engine().await?;
        let (text, most) = (text.to_owned(), tokens::MAX - tokens::MARKS);
        let chunking = Chunking { tokens: chunking.tokens.min(most), ..chunking };
        blocking(move || Ok(embed::chunks(&text, chunking, &|part| engine.count(part)))).await
    }

    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let engine = self.engine().await?;
        let (texts, stop) = (texts.to_vec(), StopOnDrop::default());
        let stopped = Arc::clone(&stop.0);
        let made = blocking(move || engine.embed(&texts, &stopped)).await?;
        self.cut_texts.fetch_add(made.cut.texts, Relaxed);
        self.cut_tokens.fetch_add(made.cut.tokens, Relaxed);
        Ok(made.vectors)
    }
}

impl Provider for Local {
    fn name(&self) -> &str {
        NAME
    }

    fn model(&self) -> &str {
        MODEL
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn limits(&self) -> Limits {
        Limits { texts: TEXTS, tokens: Some(tokens::MAX), call_tokens: None }
    }

    fn cut(&self) -> Cut {
        Cut { texts: self.cut_texts.load(Relaxed), tokens: self.cut_tokens.load(Relaxed) }
    }

    fn parts<'a>(&'a self, text: &'a str, chunking: Chunking) -> Answer<'a, Vec<Range<usize>>> {
        Box::pin(self.divided(text, chunking))
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>> {
        Box::pin(self.vectors(texts))
    }
}

/// Tells the blocking thread that nobody waits for its vectors any more.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Runs work on a blocking thread. A panic there goes on here; it ends unfinished only when the runtime shuts down.
async fn blocking<T, F>(work: F) -> Result<T, ProviderError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ProviderError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ProviderError::unavailable("the program is shutting down".into(), None)),
        },
    }
}
