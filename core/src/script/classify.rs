//! What kind of statement this is, so far as running it needs to know.

use super::concurrent;
use super::split::Sql;

/// How a statement must be run, and how it can be repeated after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// May share a transaction.
    Plain,
    /// `set` for the session.
    Setting,
    /// `begin` or `start transaction`.
    Begin,
    /// `commit` or `end`.
    Commit,
    /// `create index concurrently`: a broken build is found by the catalog and built again.
    CreateIndex {
        /// Index name, folded as Postgres folds it.
        index: String,
        /// Table as it is written, schema and all.
        table: String,
    },
    /// `drop index concurrently`.
    DropIndex,
    /// `reindex concurrently`: one that broke leaves an index beside each that it was about.
    Reindex {
        /// `index`, `table`, `schema` or `database`.
        what: String,
        /// Its name as it is written; empty where a database is not named.
        name: String,
    },
    /// `alter table ... detach partition ... concurrently`: one that broke is finalized.
    Detach {
        /// The partitioned table as it is written.
        parent: String,
        /// The partition as it is written.
        partition: String,
    },
    /// Any other that refuses a transaction; repeating it must be harmless.
    Alone(&'static str),
    /// Cannot be run by a migration, and why.
    Refused(&'static str),
}

impl Shape {
    /// What to call it in a message.
    pub fn name(&self) -> &'static str {
        match self {
            Shape::Plain => "statement",
            Shape::Setting => "set",
            Shape::Begin => "begin",
            Shape::Commit => "commit",
            Shape::CreateIndex { .. } => "create index concurrently",
            Shape::DropIndex => "drop index concurrently",
            Shape::Reindex { .. } => "reindex concurrently",
            Shape::Detach { .. } => "detach partition concurrently",
            Shape::Alone(name) => name,
            Shape::Refused(_) => "refused statement",
        }
    }

    /// True if it waits for other transactions for as long as they last, and nobody waits behind it.
    pub fn is_concurrent(&self) -> bool {
        matches!(
            self,
            Shape::CreateIndex { .. }
                | Shape::DropIndex
                | Shape::Reindex { .. }
                | Shape::Detach { .. }
                | Shape::Alone("vacuum")
        )
    }

    /// True if it locks a whole table first, so that whoever comes later waits behind it.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Shape::Alone("vacuum full" | "cluster"))
    }
}

/// Statements that refuse a transaction whenever they begin so.
const ALONE: &[(&[&str], &str)] = &[
    (&["vacuum"], "vacuum"),
    (&["call"], "call"),
    (&["alter", "system"], "alter system"),
    (&["create", "database"], "create database"),
    (&["drop", "database"], "drop database"),
    (&["create", "tablespace"], "create tablespace"),
    (&["drop", "tablespace"], "drop tablespace"),
    (&["create", "subscription"], "create subscription"),
    (&["drop", "subscription"], "drop subscription"),
    (&["alter", "subscription"], "alter subscription"),
    (&["reindex", "database"], "reindex database"),
    (&["reindex", "schema"], "reindex schema"),
    (&["reindex", "system"], "reindex system"),
];

/// Statements that would take the transaction, or the input, out of the runner's hands.
const REFUSED: &[(&[&str], &str)] = &[
    (&["rollback"], "the runner decides about rollback"),
    (&["abort"], "the runner decides about rollback"),
    (&["prepare", "transaction"], "two-phase transactions outlive the run"),
    (&["commit", "prepared"], "two-phase transactions outlive the run"),
    (&["deallocate"], "the session's prepared statements are the runner's"),
    (&["discard", "all"], "the session's state is the runner's"),
    (&["discard", "plans"], "the session's plans are the runner's"),
    (&["set", "client_encoding"], "files are UTF-8"),
    (&["set", "names"], "files are UTF-8"),
];

/// Why a transaction of the file cannot choose its isolation.
const OPTIONS: &str = "a transaction with options; write `set transaction` as its first statement";

/// What kind of statement this is.
pub fn shape(sql: &Sql) -> Shape {
    control(sql).or_else(|| index(sql)).or_else(|| alone(sql)).unwrap_or(
        if sql.starts(&["copy"]) && uses_the_client(sql) {
            Shape::Refused("copy from stdin and to stdout need a client for the rows; use insert or a table")
        } else {
            Shape::Plain
        },
    )
}

fn control(sql: &Sql) -> Option<Shape> {
    if sql.starts(&["rollback", "to"]) {
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
        "set"
            if !["local", "transaction", "constraints"]
                .iter()
                .any(|w| sql.words.get(1).is_some_and(|x| x == w)) =>
        {
            Some(Shape::Setting)
        }
        "reset" => Some(Shape::Setting),
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

fn alone(sql: &Sql) -> Option<Shape> {
    if sql.starts(&["vacuum"]) && sql.has("full") {
        return Some(Shape::Alone("vacuum full"));
    }
    if let Some((_, name)) = ALONE.iter().find(|(words, _)| sql.starts(words)) {
        return Some(Shape::Alone(name));
    }
    if sql.starts(&["alter", "database"]) && sql.has("tablespace") {
        return Some(Shape::Alone("alter database set tablespace"));
    }
    (sql.starts(&["cluster"]) && sql.words.len() == 1).then_some(Shape::Alone("cluster"))
}

fn uses_the_client(sql: &Sql) -> bool {
    sql.words.windows(2).any(|w| (w[0] == "from" && w[1] == "stdin") || (w[0] == "to" && w[1] == "stdout"))
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
            "deallocate all",
            "discard all",
            "set client_encoding = 'LATIN1'",
            "set names 'LATIN1'",
            "copy t to stdout",
        ] {
            assert!(matches!(of(text), Shape::Refused(_)), "{text}");
        }
    }

    #[test]
    fn knows_what_refuses_a_transaction() {
        for text in [
            "vacuum (analyze) t",
            "call p()",
            "reindex (concurrently) index i",
            "reindex table concurrently t",
            "alter table t detach partition p concurrently",
            "alter system set x = 1",
            "cluster",
            "drop index concurrently if exists i",
        ] {
            assert!(!matches!(of(text), Shape::Plain | Shape::Refused(_)), "{text}");
        }
        for text in [
            "reindex table t",
            "analyze t",
            "alter table t detach partition p",
            "cluster t",
            "refresh materialized view concurrently v",
        ] {
            assert_eq!(of(text), Shape::Plain, "{text}");
        }
    }

    #[test]
    fn tells_settings_of_the_session_from_those_of_a_transaction() {
        assert_eq!(of("set work_mem = '1MB'"), Shape::Setting);
        assert_eq!(of("reset all"), Shape::Setting);
        for text in [
            "set local work_mem = '1MB'",
            "set transaction read only",
            "set constraints all deferred",
            "savepoint s",
            "rollback to s",
        ] {
            assert_eq!(of(text), Shape::Plain, "{text}");
        }
    }

    #[test]
    fn a_body_that_copies_is_not_a_copy_from_stdin() {
        assert_eq!(of("copy t from '/x'"), Shape::Plain);
        assert!(matches!(of("COPY t (a, b) FROM STDIN with (format csv)"), Shape::Refused(_)));
    }
}
