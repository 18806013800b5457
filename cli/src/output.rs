//! What a command shows: the result on stdout, log and errors on stderr.

use crate::args::Args;
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use strata_core::Error;

/// Version of the JSON that `--json` prints. Raised when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Where a command writes.
pub struct Output {
    json: bool,
    quiet: bool,
    phase: RefCell<String>,
}

impl Output {
    /// As the arguments ask.
    pub fn new(args: &Args) -> Self {
        Output { json: args.json, quiet: args.quiet, phase: RefCell::default() }
    }

    /// The result: an object, or its text.
    pub fn result(&self, mut json: serde_json::Value, text: &str) {
        json["schema"] = SCHEMA.into();
        let shown = if self.json { json.to_string() } else { text.to_owned() };
        // A reader that went away (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout(), "{shown}");
    }

    /// A line of the log.
    pub fn log(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
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
        let hint = error.get_hint().map(|hint| format!("; {}", one_line(hint))).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "error: {}{hint}", one_line(error.message()));
        if self.json {
            self.result(
                serde_json::json!({"error": {
                    "code": error.sqlstate(),
                    "message": error.message(),
                    "details": error.get_detail(),
                    "hint": error.get_hint(),
                    "exit": error.kind().exit_code(),
                }}),
                "",
            );
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
