//! Questions before something that cannot be taken back. Asked on a terminal only.

use crate::output::Output;
use std::io::IsTerminal;
use strata_core::{Error, Kind};

/// A question in golang-migrate's words.
pub struct Question {
    asks: &'static str,
    refused: &'static str,
    flag: &'static str,
}

/// Before `down --all`.
pub const DOWN: Question = Question {
    asks: "Are you sure you want to apply all down migrations? [y/N]",
    refused: "Not applying all down migrations",
    flag: "say --yes",
};

/// Before `drop`.
pub const DROP: Question = Question {
    asks: "Are you sure you want to drop the entire database schema? [y/N]",
    refused: "Aborted dropping the entire database schema",
    flag: "say -f",
};

/// Goes on after a `y`. Where nobody can answer, the answer is no.
pub fn ask(question: &Question, output: &Output) -> Result<(), Error> {
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
