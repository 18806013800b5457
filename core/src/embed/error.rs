//! Why a provider gave no vectors, as far as the caller can act on it.

use super::Claimed;
use std::fmt;
use std::time::Duration;

/// Exhaustive on purpose: a new way to fail does not compile until the worker has an answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderError {
    /// Not now: the same call may succeed later.
    Unavailable {
        /// What happened.
        reason: String,
        /// When the provider asks to be called again.
        retry_after: Option<Duration>,
    },
    /// It has too much to do and says so: the same call will succeed later, and none of its texts is to blame.
    Busy {
        /// What it said.
        reason: String,
        /// When it asks to be called again.
        retry_after: Option<Duration>,
    },
    /// One text will never be embedded; the others may. Set that row aside.
    Rejected {
        /// Index of the text, counted from 0, where the provider says which one it is.
        row: Option<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// No call will succeed until somebody changes the set-up. Stop.
    Misconfigured {
        /// What is wrong.
        reason: String,
        /// The next command.
        hint: Option<String>,
    },
    /// The model's vectors do not have the dimensions that it is registered with. Stop, as for a wrong set-up.
    WrongDimension {
        /// Both dimensions.
        reason: String,
        /// The next command.
        hint: String,
    },
    /// The answer is not one good vector for each text. None of it may be stored; the next answer may be better.
    WrongShape {
        /// What was expected and what came.
        reason: String,
    },
}

impl ProviderError {
    /// Not now.
    pub fn unavailable(reason: String, retry_after: Option<Duration>) -> Self {
        Self::Unavailable { reason, retry_after }
    }

    /// Too much to do.
    pub fn busy(reason: String, retry_after: Option<Duration>) -> Self {
        Self::Busy { reason, retry_after }
    }

    /// The text at this index, never.
    pub fn rejected(row: usize, reason: String) -> Self {
        Self::Rejected { row: Some(row), reason }
    }

    /// Not with this set-up.
    pub fn misconfigured(reason: String) -> Self {
        Self::Misconfigured { reason, hint: None }
    }

    /// Not what was asked for.
    pub fn wrong_shape(reason: String) -> Self {
        Self::WrongShape { reason }
    }

    /// The same with the next command. Only a wrong set-up has one.
    pub fn with_hint(self, hint: String) -> Self {
        match self {
            Self::Misconfigured { reason, .. } => Self::Misconfigured { reason, hint: Some(hint) },
            other => other,
        }
    }

    /// The same as seen from a list in which the call's first text has the index `by`.
    pub fn moved(self, by: usize) -> Self {
        match self {
            Self::Rejected { row, reason } => Self::Rejected { row: row.map(|row| row + by), reason },
            other => other,
        }
    }

    /// The same as seen from the jobs of the call, each of which may be several texts.
    pub fn of_job<J: Claimed>(self, call: &[J]) -> Self {
        let Self::Rejected { row: Some(row), reason } = self else { return self };
        let mut before = 0;
        let job = call.iter().position(|job| {
            before += job.texts();
            row < before
        });
        Self::Rejected { row: job, reason }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Misconfigured { hint, .. } => hint.as_deref(),
            Self::WrongDimension { hint, .. } => Some(hint),
            _ => None,
        }
    }

    /// How long the provider asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { reason, .. } => write!(f, "the provider is not available: {reason}"),
            Self::Busy { reason, .. } => write!(f, "the provider is busy: {reason}"),
            Self::Rejected { row: Some(row), reason } => write!(f, "text {row} was rejected: {reason}"),
            Self::Rejected { row: None, reason } => write!(f, "a text was rejected: {reason}"),
            Self::Misconfigured { reason, .. } | Self::WrongDimension { reason, .. } => f.write_str(reason),
            Self::WrongShape { reason } => write!(f, "the provider's answer cannot be used: {reason}"),
        }
    }
}

impl std::error::Error for ProviderError {}
