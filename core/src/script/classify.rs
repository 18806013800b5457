//! What kind of statement this is, so far as running it needs to know.

use super::alone::alone;
use super::concurrent;
use super::shape::Shape;
use super::split::Sql;

/// Statements that would take the transaction, or the input, out of the runner's hands.
const REFUSED: &[(&[&str], &str)] = &[
    (&["rollback"], "the runner decides about rollback"),
    (&["abort"], "the runner decides about rollback"),
    (&["prepare", "transaction"], "two-phase transactions outlive the run"),
    (&["commit", "prepared"], "two-phase transactions outlive the run"),
    (&["discard", "all"], "the session's state is the runner's"),
    (&["discard", "plans"], "the session's plans are the runner's"),
];

/// How the text of a file has been read already: the server must read it so too.
const READING: [(&str, &[&str], &str); 3] = [
    ("client_encoding", UTF8, "files are UTF-8"),
    ("names", UTF8, "files are UTF-8"),
    (
        "standard_conforming_strings",
        &["on", "true", "yes", "1"],
        "a backslash is a letter in the strings of a file",
    ),
];

const UTF8: &[&str] = &["utf8", "utf-8", "unicode"];

/// Why a transaction of the file cannot choose its isolation.
const OPTIONS: &str = "a transaction with options; write `set transaction` as its first statement";

/// What kind of statement this is.
pub fn shape(sql: &Sql) -> Shape {
    control(sql).or_else(|| index(sql)).or_else(|| alone(sql)).unwrap_or(Shape::Plain)
}

fn control(sql: &Sql) -> Option<Shape> {
    let to_savepoint =
        [&["rollback", "to"][..], &["rollback", "work", "to"], &["rollback", "transaction", "to"]];
    if to_savepoint.iter().any(|words| sql.starts(words)) {
        return None;
    }
    if let Some((_, reason)) = REFUSED.iter().find(|(words, _)| sql.starts(words)) {
        return Some(Shape::Refused(reason));
    }
    match sql.words.first().map(String::as_str)? {
        "begin"
            if sql.words.len() == 1 || sql.is(&["begin", "transaction"]) || sql.is(&["begin", "work"]) =>
        {
            Some(Shape::Begin)
        }
        "start" if sql.is(&["start", "transaction"]) => Some(Shape::Begin),
        "begin" => Some(Shape::Refused(OPTIONS)),
        "start" if sql.starts(&["start", "transaction"]) => Some(Shape::Refused(OPTIONS)),
        "commit" | "end" if sql.has("chain") && !sql.has("no") => {
            Some(Shape::Refused("chained transactions"))
        }
        "commit" | "end" => Some(Shape::Commit),
        "set" => set(sql),
        "reset" => Some(Shape::Setting),
        "select" => sets_a_config(&sql.words)
            .map(|(name, value)| misreads(name, value).map_or(Shape::Setting, Shape::Refused)),
        _ => None,
    }
}

/// `set [session | local] name ...`
fn set(sql: &Sql) -> Option<Shape> {
    let words: Vec<&str> = sql.words.iter().skip(1).map(|w| w.trim_matches(['"', '\''])).collect();
    let (scope, rest) = match words.split_first() {
        Some((&"session", [next, ..])) if ["characteristics", "authorization"].contains(next) => {
            ("", &words[..])
        }
        Some((scope @ (&"session" | &"local"), rest)) => (*scope, rest),
        _ => ("", &words[..]),
    };
    let misreads = rest.first().and_then(|name| misreads(name, rest.last().copied().unwrap_or_default()));
    match misreads {
        Some(reason) => Some(Shape::Refused(reason)),
        _ if scope == "local" || matches!(rest.first(), Some(&"transaction" | &"constraints")) => None,
        _ => Some(Shape::Setting),
    }
}

/// Why a file cannot set this.
fn misreads(name: &str, value: &str) -> Option<&'static str> {
    let (_, values, reason) = READING.iter().find(|(read, ..)| *read == name)?;
    (!values.contains(&value.to_lowercase().as_str())).then_some(*reason)
}

/// `select [pg_catalog.]set_config('name', 'value', false)` and nothing else: how pg_dump writes a `set`.
fn sets_a_config(words: &[String]) -> Option<(&str, &str)> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let call = match words.as_slice() {
        ["select", "pg_catalog", ".", call @ ..] | ["select", call @ ..] => call.to_vec(),
        _ => return None,
    };
    let literal = |word: &'_ str| word.starts_with('\'');
    match call.as_slice() {
        ["set_config", "(", name, ",", value, ",", "false", ")"] if literal(name) && literal(value) => {
            Some((name.trim_matches('\''), value.trim_matches('\'')))
        }
        _ => None,
    }
}

fn index(sql: &Sql) -> Option<Shape> {
    let rest = ["create index concurrently", "create unique index concurrently"].iter().find_map(|head| {
        let head: Vec<&str> = head.split(' ').collect();
        sql.starts(&head).then(|| &sql.words[head.len()..])
    });
    match rest {
        Some(rest) => Some(created(rest)),
        None if sql.starts(&["drop", "index", "concurrently"]) => Some(Shape::DropIndex),
        None => concurrent::reindex(sql).or_else(|| concurrent::detach(sql)),
    }
}

/// `[if not exists] name on [only] [schema.]table ...`
fn created(rest: &[String]) -> Shape {
    let rest = if rest.first().is_some_and(|w| w == "if") { rest.get(3..).unwrap_or_default() } else { rest };
    match rest {
        [name, on, after @ ..] if on == "on" && name != "on" => {
            let after = if after.first().is_some_and(|w| w == "only") { &after[1..] } else { after };
            Shape::CreateIndex {
                index: cut(name.strip_prefix('"').unwrap_or(name)).to_owned(),
                table: concurrent::name(after),
            }
        }
        _ => Shape::Refused("name the index, so that a broken build can be found again"),
    }
}

/// The name that Postgres keeps of one that is too long. Unit: 63 bytes, cut between characters.
fn cut(name: &str) -> &str {
    let end = (0..=name.len().min(63)).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn of(text: &str) -> Shape {
        shape(&split("f", text).expect("splittable")[0])
    }

    #[test]
    fn finds_the_index_and_its_table() {
        let made = |index: &str, table: &str| Shape::CreateIndex { index: index.into(), table: table.into() };
        assert_eq!(
            of("CREATE UNIQUE INDEX CONCURRENTLY If Not Exists Idx ON ONLY Public.T (x)"),
            made("idx", "public.t")
        );
        assert_eq!(
            of("create index concurrently \"My Idx\" on \"A\".\"B\"\"c\" using hnsw (e)"),
            made("My Idx", "\"A\".\"B\"\"c\"")
        );
        assert_eq!(of("create index i on t(x)"), Shape::Plain);
        let long = "ä".repeat(40);
        assert_eq!(of(&format!("create index concurrently {long} on t (x)")), made(&"ä".repeat(31), "t"));
    }

    #[test]
    fn refuses_what_would_change_the_transaction_or_the_session_under_the_runner() {
        for text in [
            "begin isolation level serializable",
            "start transaction read only",
            "discard all",
            "set client_encoding = 'LATIN1'",
            "set names 'LATIN1'",
            "set session client_encoding to latin1",
            "set local standard_conforming_strings = off",
            "select set_config('standard_conforming_strings', 'off', false)",
        ] {
            assert!(matches!(of(text), Shape::Refused(_)), "{text}");
        }
    }

    #[test]
    fn knows_what_refuses_a_transaction() {
        for text in [
            "vacuum (analyze) t",
            "reindex (concurrently) index i",
            "reindex table concurrently t",
            "alter table t detach partition p concurrently",
            "alter system set x = 1",
            "cluster",
            "cluster (verbose)",
            "reindex (verbose) schema concurrently s",
            "reindex schema s",
            "do $$ begin for i in 1..3 loop insert into t values (i); commit; end loop; end $$",
            "do language plpgsql $b$ begin perform 1; ROLLBACK AND NO CHAIN; end $b$",
            "do 'begin commit; end'",
            "drop index concurrently if exists i",
        ] {
            assert!(!matches!(of(text), Shape::Plain | Shape::Refused(_)), "{text}");
        }
        assert_eq!(of("call p()"), Shape::Call);
        for text in [
            "reindex table t",
            "analyze t",
            "alter table t detach partition p",
            "cluster t",
            "refresh materialized view concurrently v",
            "do $$ begin create temp table x on commit drop as select 1; raise notice 'commit;'; -- commit;\n end $$",
        ] {
            assert_eq!(of(text), Shape::Plain, "{text}");
        }
    }

    #[test]
    fn tells_settings_of_the_session_from_those_of_a_transaction() {
        assert_eq!(of("set work_mem = '1MB'"), Shape::Setting);
        for text in [
            "reset all",
            "set session characteristics as transaction read only",
            "set session authorization x",
            "SET client_encoding = 'UTF8'",
            "set standard_conforming_strings = on",
            "SELECT pg_catalog.set_config('search_path', '', false)",
        ] {
            assert_eq!(of(text), Shape::Setting, "{text}");
        }
        for text in [
            "set local work_mem = '1MB'",
            "set transaction read only",
            "set constraints all deferred",
            "savepoint s",
            "rollback to s",
            "select set_config('a.b', 'c', true)",
            "select set_config('a.b', x, false) from t",
        ] {
            assert_eq!(of(text), Shape::Plain, "{text}");
        }
    }

    #[test]
    fn a_copy_of_the_server_needs_no_client() {
        assert_eq!(of("copy t from '/x'"), Shape::Plain);
        assert!(split("f", "COPY t (a, b) FROM STDIN with (format csv)").is_err());
        assert!(split("f", "copy t to stdout").is_err());
        assert!(split("f", "copy t from stdout").is_err());
    }
}
