//! Files are cut into statements as psql cuts them and as the server counts them: on PostgreSQL's own regression scripts.

use strata_tests::{Database, psql};

#[path = "regression/scripts.rs"]
mod scripts;

use scripts::{WORD, cut, ours, scripts};

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
