//! Files are cut into statements as psql cuts them and as the server counts them: on PostgreSQL's own regression scripts.

use std::path::PathBuf;
use strata_core::script::{Sql, split};
use strata_tests::{Database, environment, psql};

/// The scripts, by name.
fn scripts() -> Vec<(String, String)> {
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
struct Cut {
    for_us: String,
    for_psql: String,
    /// How often we refused.
    refusals: usize,
}

/// Line of a refusal, and its reason.
fn refusal(name: &str, text: &str) -> Option<(usize, String)> {
    let error = split(name, text).err()?.to_string();
    let rest = error.strip_prefix(name).and_then(|rest| rest.strip_prefix(": line ")).expect("file and line");
    let (line, reason) = rest.split_once(": ").expect("a reason");
    Some((line.parse().expect("a number"), reason.to_owned()))
}

const WORD: &str = "strata-took-this-for-a-command";

fn cut(name: &str, text: &str) -> Cut {
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

/// A text as psql sent it, without what stands before its first word and without its semicolon.
fn bare(text: &str) -> String {
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_start_matches(';').trim_start();
        if text.starts_with("--") {
            text = text.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
        if text.starts_with("/*") {
            text = &text[comment(text)..];
        }
        if text == before {
            return text.strip_suffix(';').unwrap_or(text).trim_end().to_owned();
        }
    }
}

/// psql leaves out lines that hold nothing.
fn without_blank_lines(text: &str) -> String {
    text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Length of the comment that a text begins with; comments nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.get(at..at + 2) {
            Some("/*") => (depth, at) = (depth + 1, at + 2),
            Some("*/") => (depth, at) = (depth - 1, at + 2),
            Some(_) | None if at >= text.len() => return at,
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

fn ours(name: &str, text: &str) -> Vec<Sql> {
    split(name, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_regression_script_is_cut_as_psql_cuts_it() {
    let (mut statements, mut refusals, mut mismatches) = (0, 0, Vec::new());
    let mut scripts = scripts();
    // The one script about psql's own commands: without them it is debris.
    scripts.retain(|(name, _)| name != "psql.sql");
    for (name, text) in &scripts {
        let cut = cut(name, text);
        let heard = psql::run(&cut.for_psql);
        let sent: Vec<String> =
            heard.sent.iter().map(|text| bare(text)).filter(|text| !text.is_empty()).collect();
        let sent: Vec<String> = sent.iter().map(|text| without_blank_lines(text)).collect();
        let ours: Vec<String> =
            ours(name, &cut.for_us).iter().map(|sql| without_blank_lines(&sql.text)).collect();
        let words = heard.said.iter().filter(|line| line.as_str() == WORD).count();
        let told = cut.for_psql.matches(WORD).count();
        assert_eq!(words, told, "{name}: a refusal that psql does not share: {}", heard.complaints);
        statements += sent.len();
        refusals += cut.refusals;
        if let Some(at) = (0..sent.len().max(ours.len())).find(|at| sent.get(*at) != ours.get(*at)) {
            mismatches.push(format!("{name}: psql: {:?}\nours: {:?}", sent.get(at), ours.get(at)));
        }
    }
    println!(
        "{} scripts, {statements} statements, {refusals} refusals, {} mismatches",
        scripts.len(),
        mismatches.len()
    );
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(statements > 30_000 && refusals > 1_000, "{statements} statements, {refusals} refusals: too few");
}

#[test]
fn every_statement_of_the_regression_scripts_is_one_to_the_server() {
    let database = Database::empty();
    let mut session = database.session();
    let mut counted = 0;
    for (name, text) in scripts() {
        for sql in ours(&name, &cut(&name, &text).for_us) {
            counted += 1;
            let Err(error) = session.prepare(&sql.text) else { continue };
            let error = error.as_db_error().unwrap_or_else(|| panic!("{name}: {error}: {}", sql.text));
            assert!(
                !error.message().contains("multiple commands"),
                "{name}: line {}: {}",
                sql.line,
                sql.text
            );
        }
    }
    println!("{counted} statements, each of them one to the server");
}
