//! What a statement is tried as inside the transaction of a dry run.

use super::finding::PLAIN;
use crate::script::{Shape, Sql, without_concurrently};

/// What becomes of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StandIn {
    /// It is tried as it is.
    Itself,
    /// It is tried as another one.
    As(String, &'static str),
    /// It is left out, and nothing that follows depends on it in a way that matters.
    LeftOut(&'static str),
    /// The same, and another database can tell more.
    Skipped(&'static str),
    /// It cannot be tried, and what follows depends on it.
    Ends(&'static str),
}

/// Words that reach out of the transaction, so that nothing undoes what they do.
const REACHING: [&str; 20] = [
    "setval",
    "dblink",
    "dblink_exec",
    "dblink_send_query",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_promote",
    "pg_switch_wal",
    "pg_file_write",
    "pg_file_unlink",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_drop_replication_slot",
    "pg_stat_reset",
    "lo_export",
    "http_get",
    "http_post",
    "http",
];

const REACHES: &str = "left out: what it does outside of its transaction would not be undone";

/// A statement that may share a transaction.
pub(super) fn plain(sql: &Sql) -> StandIn {
    if !reaches(sql) {
        return StandIn::Itself;
    }
    match sql.words.first().map(String::as_str) {
        Some("select") => StandIn::LeftOut(REACHES),
        _ => StandIn::Ends(REACHES),
    }
}

/// A statement that refuses a transaction.
pub(super) fn alone(sql: &Sql, shape: &Shape) -> StandIn {
    match shape {
        Shape::CreateIndex { .. } | Shape::DropIndex | Shape::Detach { .. } => {
            StandIn::As(without_concurrently(sql), PLAIN)
        }
        Shape::Reindex { .. }
        | Shape::Alone(
            "vacuum" | "vacuum full" | "cluster" | "reindex database" | "reindex schema" | "reindex system",
        ) => StandIn::Skipped("it cannot run inside a transaction, and changes no row"),
        Shape::Alone("do with a commit") => StandIn::Ends("it commits by itself"),
        Shape::Alone("statement without a transaction") => plain(sql),
        Shape::Alone(_) => StandIn::LeftOut(OF_THE_SERVER),
        _ => plain(sql),
    }
}

/// What is left out because it would outlast any database.
const OF_THE_SERVER: &str = "it is about the whole server, where a dry run changes nothing";

/// A statement in the shadow database, where what it does is committed, and the database is dropped afterwards. Only what
/// would reach out of it is left out.
pub(super) fn in_shadow(sql: &Sql, shape: Option<&Shape>) -> StandIn {
    let words: Vec<&str> = sql.words.iter().take(3).map(String::as_str).collect();
    let own = match shape {
        Some(Shape::Alone(name)) => {
            name.starts_with("vacuum") || name.starts_with("reindex") || is_local(name)
        }
        _ => {
            !matches!(
                words.as_slice(),
                ["create" | "alter" | "drop", "role" | "user" | "group" | "database" | "subscription", ..]
                    | ["comment", "on", "role" | "database" | "tablespace"]
                    | ["drop" | "reassign", "owned", ..]
            ) && !grants_a_role(sql)
        }
    };
    let text = sql.text.to_lowercase();
    let inside = words.first() == Some(&"do") && makes_a_role(&text);
    let beyond = copies(sql) || !makes(sql) && calls(&text.replace("setval", ""));
    match own && !inside && !beyond {
        true => StandIn::Itself,
        false => StandIn::LeftOut(OF_THE_SERVER),
    }
}

fn is_local(name: &str) -> bool {
    matches!(name, "cluster" | "do with a commit" | "statement without a transaction")
}

/// `grant` and `revoke` of a role say no `on`.
fn grants_a_role(sql: &Sql) -> bool {
    matches!(sql.words.first().map(String::as_str), Some("grant" | "revoke"))
        && !sql.words.iter().any(|word| word == "on")
}

fn makes_a_role(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .any(|pair| matches!(pair, ["create" | "alter" | "drop", "role" | "user" | "group" | "database"]))
}

/// True if the text calls one of those words, or has the server write a file or run a program. The body of a function that
/// is only made here is not run.
fn reaches(sql: &Sql) -> bool {
    !makes(sql) && (copies(sql) || calls(&sql.text.to_lowercase()))
}

fn makes(sql: &Sql) -> bool {
    let first: Vec<&str> = sql.words.iter().take(4).map(String::as_str).collect();
    matches!(
        first.as_slice(),
        ["create", "function" | "procedure", ..] | ["create", "or", "replace", "function" | "procedure"]
    )
}

fn copies(sql: &Sql) -> bool {
    sql.words.first().is_some_and(|word| word == "copy")
        && sql.words.iter().any(|word| word == "to" || word == "program")
}

fn calls(text: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.any(|word| REACHING.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Part, plan};

    fn of(text: &str) -> StandIn {
        let parts = plan("f.up.sql", text).expect("plannable");
        match &parts[0].part {
            Part::Transaction(group) => plain(&group[0]),
            Part::Alone(sql, shape) => alone(sql, shape),
        }
    }

    #[test]
    fn what_says_concurrently_is_tried_without_it() {
        for (text, tried) in [
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON t (concurrently)",
                "CREATE UNIQUE INDEX  i ON t (concurrently)",
            ),
            ("drop index /* x */ concurrently if exists i", "drop index /* x */  if exists i"),
            ("alter table p detach partition q concurrently", "alter table p detach partition q "),
        ] {
            assert_eq!(of(text), StandIn::As(tried.into(), "tried without \"concurrently\""), "{text}");
        }
    }

    #[test]
    fn what_a_rollback_does_not_undo_is_not_tried() {
        for text in [
            "select setval('s', 1)",
            "select pg_catalog.setval('s', max(id)) from t",
            "select dblink_exec('', 'drop table t')",
            "select pg_terminate_backend(pid) from pg_stat_activity",
        ] {
            assert!(matches!(of(text), StandIn::LeftOut(_)), "{text}");
        }
        for text in [
            "do $$ begin perform setval('s', 1); end $$",
            "copy t to '/tmp/x'",
            "copy t from program 'curl x'",
            "do $$ begin commit; end $$",
        ] {
            assert!(matches!(of(text), StandIn::Ends(_)), "{text}");
        }
        for text in ["alter system set x = 1", "create database d"] {
            assert!(matches!(of(text), StandIn::LeftOut(_)), "{text}");
        }
        for text in ["vacuum t", "cluster", "reindex index concurrently i"] {
            assert!(matches!(of(text), StandIn::Skipped(_)), "{text}");
        }
    }

    #[test]
    fn nothing_reaches_out_of_the_shadow() {
        let of = |text: &str| match &plan("f.up.sql", text).expect("plannable")[0].part {
            Part::Transaction(group) => in_shadow(&group[0], None),
            Part::Alone(sql, shape) => in_shadow(sql, Some(shape)),
        };
        for text in [
            "create role r",
            "grant a to b",
            "alter database d set x = 1",
            "create database d",
            "alter system set x = 1",
            "do $$ begin create role r; end $$",
            "select dblink_exec('', 'x')",
            "copy t to program 'x'",
            "create subscription s connection '' publication p with (connect = false)",
        ] {
            assert_eq!(of(text), StandIn::LeftOut(OF_THE_SERVER), "{text}");
        }
        for text in [
            "grant select on t to b",
            "vacuum full t",
            "create index concurrently i on t (x)",
            "reindex schema concurrently s",
            "do $$ begin commit; end $$",
            "select setval('s', 1)",
            "call p()",
            "-- strata: no transaction\nreindex table t",
        ] {
            assert_eq!(of(text), StandIn::Itself, "{text}");
        }
    }

    #[test]
    fn what_stays_in_its_transaction_is_tried_as_it_is() {
        for text in [
            "create function f() returns int language sql as 'select setval(''s'', 1)'",
            "create table dblinks ()",
            "copy t from '/tmp/x'",
            "call p()",
            "-- strata: no transaction\nreindex table t",
        ] {
            assert_eq!(of(text), StandIn::Itself, "{text}");
        }
    }
}
