//! What a command shows: the result on stdout, log and errors on stderr.

use crate::args::Args;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use strata_core::{Error, Kind};

/// Version of the JSON that `--json` prints. Raised when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Longest message, detail, hint or line of the log that a person is shown, and how much of that is its end: there stands the
/// SQLSTATE. Unit: characters. Chosen: a screen keeps several of them; `--json`, `strata.run_step` and `strata.history` have
/// the whole.
const LONGEST: usize = 1_000;
const END: usize = 120;

/// Where a command writes.
pub struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    phase: RefCell<String>,
}

impl Output {
    /// As the arguments ask.
    pub fn new(args: &Args) -> Self {
        Output { json: args.json, quiet: args.quiet, verbose: args.verbose, phase: RefCell::default() }
    }

    /// Of what goes on behind: nothing but errors.
    pub fn only_errors(&self) -> Output {
        Output { json: self.json, quiet: true, verbose: false, phase: RefCell::default() }
    }

    /// The result: an object, or its text.
    pub fn result(&self, mut json: Value, text: &str) {
        json["schema"] = SCHEMA.into();
        let shown = if self.json { json.to_string() } else { text.to_owned() };
        // A reader that went away (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout(), "{shown}");
    }

    /// A line of the log.
    pub fn log(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", harmless(&short(line)));
        }
    }

    /// A question to the person at the terminal, also where the log is quiet.
    pub fn prompt(&self, question: &str) {
        let _ = writeln!(std::io::stderr(), "{question}");
    }

    /// A line of the log that only --verbose shows.
    pub fn detail(&self, line: &str) {
        if self.verbose {
            self.log(line);
        }
    }

    /// A heading, once for all that comes under it.
    pub fn phase(&self, name: &str) {
        if self.phase.replace(name.to_owned()) != name && !name.is_empty() {
            self.log(&format!("phase {name}"));
        }
    }

    /// True where a person watches the log.
    pub fn is_watched(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// One line for a person, with the next step behind it; with --json the object too.
    pub fn error(&self, error: &Error) {
        self.complain(error);
        if self.json {
            self.result(json!({"error": object(error)}), "");
        }
    }

    /// A result that is also an error: with --json one object has both.
    pub fn bad_result(&self, mut json: Value, text: &str, error: &Error) -> u8 {
        json["error"] = object(error);
        self.result(json, text);
        self.complain(error);
        error.kind().exit_code()
    }

    fn complain(&self, error: &Error) {
        let more = |text: Option<&str>| text.map(|text| format!("; {}", one_line(text))).unwrap_or_default();
        let (detail, hint) = (more(error.get_detail()), more(error.get_hint()));
        let _ = writeln!(std::io::stderr(), "error: {}{detail}{hint}", one_line(error.message()));
    }
}

/// What the command line could not make sense of; clap shows it to people.
pub fn usage(words: &[std::ffi::OsString], cause: &clap::Error) {
    if cause.use_stderr() && words.iter().any(|word| word == "--json") {
        let text = cause.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let error = Error::new(Kind::BadArgument, message).hint("strata --help");
        let _ = writeln!(std::io::stdout(), "{}", json!({"error": object(&error), "schema": SCHEMA}));
    }
}

fn object(error: &Error) -> Value {
    json!({
        "code": error.sqlstate(),
        "message": error.message(),
        "details": error.get_detail(),
        "hint": error.get_hint(),
        "exit": error.kind().exit_code(),
    })
}

fn one_line(text: &str) -> String {
    harmless(&short(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The beginning and the end of what is too long to be read.
pub fn short(text: &str) -> String {
    let all = text.chars().count();
    if all <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST - END).collect();
    let end: String = text.chars().skip(all - END).collect();
    format!("{head} ... {end}")
}

/// What a server says, without what a terminal would take for a command.
fn harmless(text: &str) -> String {
    let shown =
        |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}

/// A table whose columns are as wide as they need to be, for a terminal or a file.
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(head.iter().map(ToString::to_string).collect::<Vec<_>>());
    table.add_rows(rows);
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_its_beginning_and_its_end() {
        let fits = "ä".repeat(LONGEST);
        assert_eq!(short(&fits), fits);
        let long = format!("begin {} (SQLSTATE 22P02)", "ä".repeat(1_000_000));
        let shown = short(&long);
        assert_eq!(shown.chars().count(), LONGEST + " ... ".len());
        assert!(
            shown.starts_with("begin ä") && shown.contains(" ... ") && shown.ends_with("(SQLSTATE 22P02)")
        );
    }
}
