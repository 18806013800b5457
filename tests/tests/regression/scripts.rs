//! PostgreSQL's own regression scripts, with what we refuse in them replaced.

#![allow(dead_code, reason = "two programs of tests use a part of it each")]

use std::path::PathBuf;
use strata_core::script::{Sql, split};
use strata_tests::environment;

/// The scripts, by name.
pub fn scripts() -> Vec<(String, String)> {
    let folder = environment::regression_sql();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, String::from_utf8_lossy(&std::fs::read(path).expect("readable")).into_owned())
    };
    paths.iter().map(read).collect()
}

/// A script, what we refuse in it replaced by what psql answers with a word of its own: where psql says the word, it too
/// took the place for a command.
pub struct Cut {
    /// As we cut it.
    pub for_us: String,
    /// As psql is given it.
    pub for_psql: String,
    /// How often we refused.
    pub refusals: usize,
}

/// Line of a refusal, and its reason.
fn refusal(name: &str, text: &str) -> Option<(usize, String)> {
    let error = split(name, text).err()?.to_string();
    let rest = error.strip_prefix(name).and_then(|rest| rest.strip_prefix(": line ")).expect("file and line");
    let (line, reason) = rest.split_once(": ").expect("a reason");
    Some((line.parse().expect("a number"), reason.to_owned()))
}

/// What psql says where we took something for a command.
pub const WORD: &str = "strata-took-this-for-a-command";

/// Replaces what we refuse.
pub fn cut(name: &str, text: &str) -> Cut {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut echoes: Vec<(usize, usize)> = Vec::new();
    let mut refusals = 0;
    while let Some((line, reason)) = refusal(name, &lines.join("\n")) {
        refusals += 1;
        let at = line - 1;
        if reason.starts_with("psql commands") {
            let from = command(name, &lines, at);
            lines[at].truncate(from);
            echoes.push((at, from));
        } else if reason.contains(" needs a client for the rows") {
            let has_rows = reason.contains("copy from stdin needs");
            let rows = lines[at..].iter().position(|l| has_rows && l == "\\.").unwrap_or(0);
            let end = lines[at..].iter().position(|l| l.contains(';')).unwrap_or(0).max(rows);
            lines[at..=at + end].iter_mut().for_each(String::clear);
            echoes.retain(|(line, _)| !(at..=at + end).contains(line));
        } else if reason.starts_with("psql variables") {
            let from = variable(&lines[at]).expect("a variable");
            lines[at].replace_range(from..=from, " ");
        } else {
            panic!("{name}: line {line}: {reason}: {}", lines[at]);
        }
    }
    let for_us = lines.join("\n");
    for (at, from) in &echoes {
        lines[*at].insert_str(*from, &format!("\\echo {WORD}"));
    }
    Cut { for_us, for_psql: lines.join("\n"), refusals }
}

/// The backslash of a line that begins a command: the first that is refused as one where the text ends with it.
fn command(name: &str, lines: &[String], at: usize) -> usize {
    let before = lines[..at].join("\n");
    let refused = |end: usize| refusal(name, &format!("{before}\n{}", &lines[at][..=end]));
    let commands = lines[at].match_indices('\\').map(|(from, _)| from);
    let taken = |from: &usize| refused(*from).is_some_and(|(_, reason)| reason.starts_with("psql commands"));
    commands.clone().find(taken).or(commands.clone().next()).expect("a backslash")
}

/// A colon that begins a variable.
fn variable(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let starts =
        |at: usize| bytes.get(at + 1).is_some_and(|c| c.is_ascii_alphanumeric() || b"_'\"{".contains(c));
    (0..bytes.len()).find(|at| bytes[*at] == b':' && starts(*at) && (*at == 0 || bytes[*at - 1] != b':'))
}

/// The statements of a text that is not refused.
pub fn ours(name: &str, text: &str) -> Vec<Sql> {
    split(name, text).unwrap_or_else(|error| panic!("{error}"))
}
