//! What a statement is tried as inside the transaction of a dry run.

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
    const PLAIN: &str = "tried without \"concurrently\"";
    match shape {
        Shape::CreateIndex { .. } | Shape::DropIndex | Shape::Detach { .. } => {
            StandIn::As(without_concurrently(sql), PLAIN)
        }
        Shape::Reindex { .. } => StandIn::LeftOut("reindex cannot run inside a transaction"),
        Shape::Alone("vacuum" | "vacuum full" | "cluster") => {
            StandIn::LeftOut("it cannot run inside a transaction, and changes no row")
        }
        Shape::Alone("reindex database" | "reindex schema" | "reindex system") => {
            StandIn::LeftOut("it cannot run inside a transaction, and changes no row")
        }
        Shape::Alone("do with a commit") => StandIn::Ends("it commits by itself"),
        Shape::Alone("statement without a transaction") => plain(sql),
        Shape::Alone(_) => StandIn::LeftOut("it is about the whole server, where a dry run changes nothing"),
        _ => plain(sql),
    }
}

/// True if the text calls one of those words, or has the server write a file or run a program. The body of a function that
/// is only made here is not run.
fn reaches(sql: &Sql) -> bool {
    let first: Vec<&str> = sql.words.iter().take(4).map(String::as_str).collect();
    let makes = matches!(
        first.as_slice(),
        ["create", "function" | "procedure", ..] | ["create", "or", "replace", "function" | "procedure"]
    );
    if makes {
        return false;
    }
    let text = sql.text.to_lowercase();
    let copies =
        first.first() == Some(&"copy") && sql.words.iter().any(|word| word == "to" || word == "program");
    copies || calls(&text)
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
        for text in
            ["vacuum t", "alter system set x = 1", "create database d", "reindex index concurrently i"]
        {
            assert!(matches!(of(text), StandIn::LeftOut(_)), "{text}");
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
