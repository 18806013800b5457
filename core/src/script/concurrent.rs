//! What the statements that say `concurrently` are about, and the names in any statement.

use super::alone::{behind_options, is_off};
use super::shape::Shape;
use super::split::Sql;
use squawk_lexer::{TokenKind, tokenize};

/// `reindex [(options)] index | table | schema | database concurrently [name]`
pub(super) fn reindex(sql: &Sql) -> Option<Shape> {
    if !sql.starts(&["reindex"]) || !sql.has("concurrently") || is_off(&sql.words, "concurrently") {
        return None;
    }
    let rest = behind_options(&sql.words[1..]);
    let after = rest.get(1..).unwrap_or_default();
    let after = if after.first().is_some_and(|word| word == "concurrently") { &after[1..] } else { after };
    Some(Shape::Reindex { what: rest.first().cloned().unwrap_or_default(), name: name(after) })
}

/// `alter table [if exists] parent detach partition name concurrently`
pub(super) fn detach(sql: &Sql) -> Option<Shape> {
    if !sql.starts(&["alter", "table"]) || !sql.has("concurrently") {
        return None;
    }
    let at = sql.words.iter().position(|word| word == "detach")?;
    let before = &sql.words[2..at];
    let before = if before.first().is_some_and(|word| word == "if") { before.get(2..)? } else { before };
    let after = sql.words.get(at + 2..).unwrap_or_default();
    Some(Shape::Detach { parent: name(before), partition: name(after) })
}

/// The name that these words begin with, schema and all, as the catalog functions read it.
pub(super) fn name(words: &[String]) -> String {
    let qualified = words.get(1).is_some_and(|word| word == ".");
    words.iter().take(if qualified { 3 } else { 1 }).map(|word| requote(word)).collect()
}

/// The text of a statement without the first `concurrently` in it that stands outside of parentheses.
pub fn without_concurrently(sql: &Sql) -> String {
    let (mut at, mut depth) = (0, 0);
    for token in tokenize(&sql.text) {
        let end = at + token.len as usize;
        match token.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth -= 1,
            TokenKind::Ident if depth == 0 && sql.text[at..end].eq_ignore_ascii_case("concurrently") => {
                return format!("{}{}", &sql.text[..at], &sql.text[end..]);
            }
            _ => {}
        }
        at = end;
    }
    sql.text.clone()
}

/// Every word of a statement that may name a relation, with its schema where it has one.
pub fn names(sql: &Sql) -> Vec<String> {
    let is_name = |word: &str| word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"');
    let starts = (0..sql.words.len()).filter(|at| is_name(&sql.words[*at]));
    starts.map(|at| name(&sql.words[at..])).filter(|name| !name.ends_with('.')).collect()
}

/// A word as an identifier that the catalog functions read back as it was meant.
fn requote(word: &str) -> String {
    match word.strip_prefix('"') {
        Some(quoted) => format!("\"{}\"", quoted.replace('"', "\"\"")),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::classify::shape;
    use super::super::split::split;
    use super::*;

    fn of(text: &str) -> Sql {
        split("f", text).expect("splittable").remove(0)
    }

    #[test]
    fn finds_what_is_reindexed() {
        for (text, what, name) in [
            ("reindex index concurrently i", "index", "i"),
            ("REINDEX (verbose, tablespace x) TABLE CONCURRENTLY Public.\"T\"", "table", "public.\"T\""),
            ("reindex (concurrently) schema s", "schema", "s"),
            ("reindex database concurrently", "database", ""),
        ] {
            assert_eq!(shape(&of(text)), Shape::Reindex { what: what.into(), name: name.into() }, "{text}");
        }
        assert_eq!(shape(&of("reindex database d")), Shape::Alone("reindex database"));
    }

    #[test]
    fn finds_the_partition_and_its_parent() {
        let of = |text| shape(&of(text));
        let (parent, partition) = ("s.p".to_owned(), "\"Q\"".to_owned());
        let found = Shape::Detach { parent, partition };
        assert_eq!(of("alter table s.p detach partition \"Q\" concurrently"), found);
        assert_eq!(of("alter table if exists s.p detach partition \"Q\" concurrently"), found);
    }

    #[test]
    fn names_are_what_may_be_a_relation() {
        let found = names(&of("alter table s.\"T\" add column x int default 3"));
        assert!(found.contains(&"s.\"T\"".to_owned()) && !found.iter().any(|name| name == "3"), "{found:?}");
    }
}
