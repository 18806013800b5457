//! Whether a query writes, so far as its words tell it: a data-modifying `with`, or `select into`. What a function does inside is
//! its own.

use squawk_lexer::{TokenKind, tokenize};

/// What writes in it. Each stands behind a parenthesis, `into` anywhere: as the name of a column it is quoted.
pub fn writes(query: &str) -> Option<&'static str> {
    let (mut at, mut behind_parenthesis) = (0, false);
    for token in tokenize(query) {
        let raw = &query[at..at + token.len as usize];
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => continue,
            TokenKind::OpenParen | TokenKind::CloseParen => behind_parenthesis = true,
            kind => {
                let is = |word: &&str| kind == TokenKind::Ident && raw.eq_ignore_ascii_case(word);
                let statement = ["insert", "update", "delete", "merge"].into_iter().find(|word| is(word));
                if let Some(word) = statement.filter(|_| behind_parenthesis).or(is(&"into").then_some("into"))
                {
                    return Some(word);
                }
                behind_parenthesis = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::writes;

    #[test]
    fn a_query_that_writes_is_seen() {
        for (word, query) in [
            ("insert", "with w as (insert into t values (1) returning x) select x from w"),
            ("update", "with w as materialized ( /* c */ UPDATE t set x = 1 returning x) select x from w"),
            ("delete", "with w as (select 1) delete from t returning 'a', 'b', 'c', true"),
            ("into", "select 'a', 'b', 'c', true into u"),
        ] {
            assert_eq!(writes(query), Some(word), "{query}");
        }
        for query in [
            "select 'insert into', \"into\", t.delete, count(*) from t -- delete from t",
            "with w as (select x from t for update) select x from w",
        ] {
            assert_eq!(writes(query), None, "{query}");
        }
    }
}
