//! Which statements refuse a transaction, as far as their text tells. Read in PostgreSQL 17 at every caller of
//! `PreventInTransactionBlock`; `tests/tests/refuses_a_transaction.rs` asks a server. Only the catalog knows whether a table
//! that `cluster` or `reindex` names is partitioned: there the file says `-- strata: no transaction`.

use super::shape::Shape;
use super::split::{Sql, WORDS};
use squawk_lexer::{TokenKind, tokenize};

/// Statements that refuse a transaction whenever they begin so.
const ALONE: &[(&[&str], &str)] = &[
    (&["vacuum"], "vacuum"),
    (&["alter", "system"], "alter system"),
    (&["create", "database"], "create database"),
    (&["drop", "database"], "drop database"),
    (&["create", "tablespace"], "create tablespace"),
    (&["drop", "tablespace"], "drop tablespace"),
    // Where it has a replication slot, which only the catalog knows.
    (&["drop", "subscription"], "drop subscription"),
];

/// A statement that refuses a transaction and is not of the kinds that a run knows more about.
pub(super) fn alone(sql: &Sql) -> Option<Shape> {
    if sql.starts(&["vacuum"]) && sql.has("full") {
        return Some(Shape::Alone("vacuum full"));
    }
    if let Some((_, name)) = ALONE.iter().find(|(words, _)| sql.starts(words)) {
        return Some(Shape::Alone(name));
    }
    if sql.starts(&["call"]) {
        return Some(Shape::Call);
    }
    reindex(sql)
        .or_else(|| subscription(sql))
        .or_else(|| commits(sql).then_some("do with a commit"))
        .or_else(|| moves_database(sql).then_some("alter database set tablespace"))
        .or_else(|| clusters_all(sql).then_some("cluster"))
        .map(Shape::Alone)
}

/// `alter database name [set | with] tablespace ...`
fn moves_database(sql: &Sql) -> bool {
    let follows = |at: usize| sql.words.get(at).is_some_and(|word| word == "tablespace");
    sql.starts(&["alter", "database"]) && (follows(3) || follows(4))
}

/// `reindex [(options)] schema | database | system ...`
fn reindex(sql: &Sql) -> Option<&'static str> {
    match sql.starts(&["reindex"]).then(|| behind_options(&sql.words[1..]).first())??.as_str() {
        "schema" => Some("reindex schema"),
        "database" => Some("reindex database"),
        "system" => Some("reindex system"),
        _ => None,
    }
}

/// `cluster [verbose | (options)]` without a table.
fn clusters_all(sql: &Sql) -> bool {
    let rest = sql.starts(&["cluster"]).then(|| behind_options(&sql.words[1..]));
    rest.is_some_and(|rest| rest.is_empty() || rest == ["verbose"])
}

/// Creating, asking and changing a replication slot at another server cannot be rolled back.
fn subscription(sql: &Sql) -> Option<&'static str> {
    let words = &sql.words;
    let is_cut = words.len() >= WORDS;
    if sql.starts(&["create", "subscription"]) {
        let no_slot = is_off(words, "connect") || is_off(words, "create_slot");
        return (is_cut || !no_slot).then_some("create subscription");
    }
    if !sql.starts(&["alter", "subscription"]) {
        return None;
    }
    let asks = match words.get(3).map(String::as_str) {
        Some("refresh") => true,
        Some("set") if words.get(4).is_some_and(|word| word == "(") => {
            sql.has("failover") || sql.has("two_phase")
        }
        Some("set" | "add" | "drop") => !is_off(words, "refresh"),
        _ => false,
    };
    (is_cut || asks).then_some("alter subscription")
}

/// What follows a list of options in parentheses, or all where there is none.
pub(super) fn behind_options(words: &[String]) -> &[String] {
    match words.iter().position(|word| word == ")") {
        Some(end) if words[0] == "(" => &words[end + 1..],
        _ => words,
    }
}

/// True if this option is written with a value that means no: `name = false`, `name off`.
pub(super) fn is_off(words: &[String], name: &str) -> bool {
    let behind = |at: usize| words.get(at + 1..).unwrap_or_default();
    let value = |at: usize| behind(at).iter().find(|word| *word != "=");
    let no = |word: &String| {
        let word = word.trim_matches(['\'', '"']).to_lowercase();
        matches!(word.as_str(), "false" | "off" | "0")
    };
    (0..words.len()).any(|at| words[at] == name && value(at).is_some_and(no))
}

/// `do` with a body that ends its transaction. In plpgsql `commit` is a statement or stands behind `on`.
fn commits(sql: &Sql) -> bool {
    let body = sql.words.iter().find(|w| w.starts_with(['$', '\'']));
    let Some(body) = body.filter(|_| sql.starts(&["do"])) else { return false };
    let inner = body.trim_start_matches('\'').trim_end_matches('\'');
    let inner = inner.splitn(3, '$').nth(2).unwrap_or(inner);
    let ends = ["commit", "rollback"];
    let (mut last, mut at) = (String::new(), 0);
    for token in tokenize(inner) {
        let word = inner[at..at + token.len as usize].to_lowercase();
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => continue,
            _ if ends.contains(&last.as_str()) && matches!(word.as_str(), ";" | "and") => return true,
            _ => {}
        }
        let is_name = matches!(last.as_str(), "on" | "." | "as" | "select");
        last = if is_name && word != ";" { String::new() } else { word };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::classify::shape;
    use super::super::split::split;
    use super::*;

    fn of(text: &str) -> Shape {
        shape(&split("f", text).expect("splittable")[0])
    }

    #[test]
    fn options_do_not_hide_what_is_reindexed() {
        assert_eq!(of("reindex (verbose) schema s"), Shape::Alone("reindex schema"));
        assert_eq!(of("reindex (verbose false, tablespace x) system d"), Shape::Alone("reindex system"));
        assert_eq!(of("reindex (verbose) table t"), Shape::Plain);
        assert_eq!(of("reindex (concurrently off) table t"), Shape::Plain);
        assert!(matches!(of("reindex (verbose off, concurrently) table t"), Shape::Reindex { .. }));
    }

    #[test]
    fn a_subscription_refuses_a_transaction_where_it_asks_the_other_server() {
        for (text, alone) in [
            ("create subscription s connection '' publication p", true),
            ("create subscription s connection '' publication p with (connect = false)", false),
            ("create subscription s connection '' publication p with (create_slot = off, enabled)", false),
            ("alter subscription s refresh publication", true),
            ("alter subscription s set publication p", true),
            ("alter subscription s add publication p with (refresh = false)", false),
            ("alter subscription s set (failover = true)", true),
            ("alter subscription s set (binary = true)", false),
            ("alter subscription s disable", false),
            ("alter subscription s connection 'x'", false),
            ("alter subscription s rename to t", false),
        ] {
            assert_eq!(matches!(of(text), Shape::Alone(_)), alone, "{text}");
        }
        let many = (0..40).map(|n| format!("p{n}")).collect::<Vec<_>>().join(", ");
        let cut = format!("create subscription s connection '' publication {many} with (connect = false)");
        assert_eq!(of(&cut), Shape::Alone("create subscription"), "what is not read is taken for the worse");
    }

    #[test]
    fn moving_a_database_is_told_from_what_is_named_so() {
        assert_eq!(of("alter database d set tablespace x"), Shape::Alone("alter database set tablespace"));
        assert_eq!(of("alter database d with tablespace x"), Shape::Alone("alter database set tablespace"));
        assert_eq!(of("alter database d set search_path = tablespace"), Shape::Plain);
        assert_eq!(of("alter database d set default_tablespace = x"), Shape::Plain);
    }
}
