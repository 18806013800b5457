//! Embedding rows: how claimed jobs become calls of a provider, what is sent and how the answer is read, and what a failure
//! means for the texts of a call. Whoever drains the queue has the sockets, the clock and the database, and asks here.

mod calls;
mod chunks;
mod error;
mod failure;
mod refusal;
pub mod rpc;
mod vectors;
mod wire;

pub use calls::{Claimed, calls};
pub use chunks::{Chunking, chunks};
pub use error::ProviderError;
pub use failure::{Blame, Meaning, meaning};
pub use refusal::{Refusal, retry_after};
use vectors::numbers;
pub use vectors::{check, norm};
pub use wire::{Dialect, OLLAMA, OPENAI, ollama_base};

/// How much one call may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Texts per call, at least 1.
    pub texts: usize,
    /// Tokens of one text that count towards its vector; `None` where the provider does not say.
    pub tokens: Option<usize>,
    /// Tokens of all texts of a call, as [`tokens`] counts them; `None` where there is no such limit.
    pub call_tokens: Option<usize>,
}

/// About how many tokens a text has, on the safe side. Three bytes a token: English has four, most other scripts three.
pub fn tokens(text: &str) -> usize {
    text.len() / 3 + 1
}
