//! What went wrong, in one line, and what to do next.

use std::fmt;
use std::io;

/// The result of everything in this crate.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A message that names what failed, and a hint that names the next step.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure without a hint. The message is lower case and has no full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same failure with the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Says what was being done when the operating system refused.
pub trait Context<T> {
    /// `what` reads "cannot {what}: {reason}".
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|reason| Failure::new(format!("cannot {}: {reason}", what())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_and_its_hint_another() {
        let failure = Failure::new("no compiler").hint("install gcc");
        assert_eq!(failure.to_string(), "no compiler\nhint: install gcc");
    }
}
