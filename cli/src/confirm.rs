//! Questions before something that cannot be taken back. Asked on a terminal only.

use crate::output::Output;
use std::io::IsTerminal;
use strata_core::{Error, Kind};

/// A question, and what is said when it is not answered with yes.
pub struct Question<'q> {
    /// Ends in `[y/N]`.
    pub asks: &'q str,
    /// The error of a no.
    pub refused: &'q str,
    /// What to say beforehand instead.
    pub flag: &'q str,
}

/// Before `down --all`, in golang-migrate's words.
pub const DOWN: Question<'_> = Question {
    asks: "Are you sure you want to apply all down migrations? [y/N]",
    refused: "Not applying all down migrations",
    flag: "say --yes",
};

/// Before `drop`, in golang-migrate's words.
pub const DROP: Question<'_> = Question {
    asks: "Are you sure you want to drop the entire database schema? [y/N]",
    refused: "Aborted dropping the entire database schema",
    flag: "say -f",
};

/// Before `finalize`.
pub const FINALIZE: Question<'_> = Question {
    asks: "Are you sure you want to remove what the contract kept? Nothing brings it back. [y/N]",
    refused: "Not removing what the contract kept",
    flag: "say --yes",
};

/// Goes on after a `y`. Where nobody can answer, the answer is no.
pub fn ask(question: &Question<'_>, output: &Output) -> Result<(), Error> {
    let refused = Error::new(Kind::NotConfirmed, question.refused);
    if !std::io::stdin().is_terminal() {
        return Err(refused.hint(question.flag));
    }
    output.prompt(question.asks);
    let mut answer = String::new();
    // An end of input is no y.
    let _ = std::io::stdin().read_line(&mut answer);
    match answer.trim().eq_ignore_ascii_case("y") {
        true => Ok(()),
        false => Err(refused),
    }
}
