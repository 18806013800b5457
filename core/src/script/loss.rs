//! Statements that throw data away, so far as their words tell it. What a function or a `do` block does inside is its own.

use super::Sql;
use squawk_lexer::{TokenKind, tokenize};

/// What a statement throws away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Rows or values, for good.
    Data(&'static str),
    /// A type: no value is lost by it alone.
    Type(&'static str),
    /// A column or a table, of which strata keeps a copy.
    Kept(&'static str),
}

impl Loss {
    /// What to call it in a message.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Data(name) | Loss::Type(name) | Loss::Kept(name) => name,
        }
    }
}

/// How a statement begins that throws something away.
const LOSSES: [(&[&str], Loss); 9] = [
    (&["truncate"], Loss::Data("truncate")),
    (&["drop", "table"], Loss::Data("drop table")),
    (&["drop", "foreign", "table"], Loss::Data("drop foreign table")),
    (&["drop", "schema"], Loss::Data("drop schema")),
    (&["drop", "owned"], Loss::Data("drop owned")),
    (&["drop", "database"], Loss::Data("drop database")),
    (&["drop", "extension"], Loss::Data("drop extension")),
    (&["drop", "type"], Loss::Type("drop type")),
    (&["drop", "domain"], Loss::Type("drop domain")),
];

/// What this statement throws away.
pub fn loss(sql: &Sql) -> Option<Loss> {
    if let Some((_, loss)) = LOSSES.iter().find(|(words, _)| sql.starts(words)) {
        return Some(*loss);
    }
    let words = outer_words(&sql.text);
    let calls = |name: &str| words.windows(3).any(|w| w[0] == "strata" && w[1] == "." && w[2] == name);
    match words.first().map(String::as_str) {
        Some("alter") => altered(&words),
        Some("call" | "select") if calls("retire_columns") => Some(Loss::Kept("retire_columns")),
        Some("call") if calls("contract_column") => Some(Loss::Kept("contract_column")),
        Some("select") if calls("retire_table") => Some(Loss::Kept("retire_table")),
        _ => None,
    }
}

/// `alter [foreign] table [if exists] [only] name [*] action, ...` and `alter type name drop attribute`.
fn altered(words: &[String]) -> Option<Loss> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let mut at = if word(1) == "foreign" { 2 } else { 1 };
    let kind = word(at);
    if kind != "table" && kind != "type" {
        return None;
    }
    at += 1;
    at += if word(at) == "if" { 2 } else { 0 };
    at += if word(at) == "only" { 1 } else { 0 };
    at += 1;
    while word(at) == "." {
        at += 2;
    }
    at += if word(at) == "*" { 1 } else { 0 };
    let after_commas = (at..words.len()).filter(|i| word(*i) == ",").map(|i| i + 1);
    let mut actions = std::iter::once(at).chain(after_commas);
    let drops = |action: usize| word(action) == "drop" && word(action + 1) != "constraint";
    let name = if kind == "type" { "drop attribute" } else { "drop column" };
    actions.any(drops).then_some(Loss::Data(name))
}

/// The words of a statement that are in no parentheses, unquoted ones in lower case.
fn outer_words(text: &str) -> Vec<String> {
    let (mut at, mut depth, mut words) = (0, 0usize, Vec::new());
    for token in tokenize(text) {
        let raw = &text[at..at + token.len as usize];
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {}
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            TokenKind::Ident => words.push(raw.to_ascii_lowercase()),
            _ => words.push(raw.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    fn of(text: &str) -> Option<&'static str> {
        loss(&split("f", text).expect("splittable")[0]).map(Loss::name)
    }

    #[test]
    fn a_dropped_column_is_seen_wherever_it_stands() {
        for text in [
            "alter table t drop x",
            "ALTER TABLE IF EXISTS ONLY public.t * DROP COLUMN IF EXISTS x",
            "alter table \"T\".\"drop\" add y int default coalesce(1, 2), drop x",
            "alter table t /* c */ -- d\n drop \"constraint\"",
            "alter foreign table t drop column x",
        ] {
            assert_eq!(of(text), Some("drop column"), "{text}");
        }
        assert_eq!(of("alter type t drop attribute a"), Some("drop attribute"));
        let long = format!("alter table t {} drop column z", "add column a int, ".repeat(40));
        assert_eq!(of(&long), Some("drop column"));
    }

    #[test]
    fn tables_types_schemas_and_all_rows_are_seen() {
        for text in
            ["drop table t", "truncate only t", "drop type t", "drop domain d", "drop schema s cascade"]
        {
            assert!(of(text).is_some(), "{text}");
        }
        assert_eq!(of("call strata.retire_columns('t', array['x'])"), Some("retire_columns"));
        assert_eq!(of("call strata.contract_column('t', 'x')"), Some("contract_column"));
        assert_eq!(of("select strata.retire_table('t')"), Some("retire_table"));
    }

    #[test]
    fn what_loses_nothing_is_let_through() {
        for text in [
            "alter table t drop constraint c, alter column x drop default, alter y drop not null",
            "alter table t add constraint c check (x <> 'drop'), add y int",
            "drop index i",
            "drop function f()",
            "drop view v",
            "alter table \"drop\" add x int",
            "comment on table t is 'drop table t'",
            "create function f() returns int language plpgsql as $$ begin drop table t; end $$",
            "select 'strata.retire_table'",
            "alter index i rename to drop_me",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
