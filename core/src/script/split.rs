//! Splitting a script at its semicolons, by Postgres' lexical rules.

use crate::error::{Error, Kind};
use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// Longest summary of a statement. Unit: characters. It has to fit a line of a log beside version and time.
const SUMMARY: usize = 72;

/// One statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// As it is written, without the semicolon and without what stands before its first word.
    pub text: String,
    /// Line of its first word, from 1.
    pub line: usize,
    /// Its words, lower-cased where unquoted, quoted identifiers unescaped and marked by a leading `"`; the first few
    /// dozen, which decide what kind of statement it is.
    pub words: Vec<String>,
    /// Line comments before it that speak to us: what follows `-- `, trimmed.
    pub directives: Vec<String>,
}

/// Words that are kept of each statement. Enough for the longest form that is told apart by its words.
const WORDS: usize = 32;

impl Sql {
    /// One line to call it by.
    pub fn summary(&self) -> String {
        let line = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SUMMARY) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }

    /// True if its words begin so.
    pub(super) fn starts(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len() && self.words.iter().zip(words).all(|(a, b)| a == b)
    }

    /// True if these are all its words.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        self.words.len() == words.len() && self.starts(words)
    }

    /// True if this unquoted word is among its words.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }
}

/// The statements of `text` in order. Empty ones are dropped; strings, dollar quotes, comments and the body of a
/// `begin atomic` function are never cut.
pub fn split(file: &str, text: &str) -> Result<Vec<Sql>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        return Err(Error::new(Kind::BadPack, format!("{file}: line {line}: there is a NUL in the file")));
    }
    let mut splitter = Splitter::new(file, text);
    let mut at = 0;
    for token in tokenize(text) {
        let end = at + token.len as usize;
        splitter.token(token.kind, at, end)?;
        at = end;
    }
    splitter.end(text.len());
    Ok(splitter.done)
}

struct Splitter<'t> {
    file: &'t str,
    text: &'t str,
    done: Vec<Sql>,
    /// Where the first word of the open statement is.
    start: Option<usize>,
    words: Vec<String>,
    /// The word before, which may be beyond those that are kept.
    last: String,
    directives: Vec<String>,
    /// How far the lines are counted: an offset, and the line it is in.
    counted: (usize, usize),
    /// Depth of `begin atomic ... end` and `case ... end` in a function body.
    atomic: usize,
    parens: usize,
}

impl<'t> Splitter<'t> {
    fn new(file: &'t str, text: &'t str) -> Self {
        let (done, words, directives, last) = (Vec::new(), Vec::new(), Vec::new(), String::new());
        let counted = (0, 1);
        Splitter { file, text, done, start: None, words, last, directives, counted, atomic: 0, parens: 0 }
    }

    fn token(&mut self, kind: TokenKind, at: usize, end: usize) -> Result<(), Error> {
        match kind {
            TokenKind::Whitespace | TokenKind::BlockComment { terminated: true } | TokenKind::Eof => {}
            TokenKind::LineComment => self.comment(at, end),
            TokenKind::Semi if self.atomic == 0 && self.parens == 0 => self.end(at),
            TokenKind::Unknown if self.text[at..].starts_with('\\') => {
                let line = self.line_of(at);
                let message = format!("{}: line {line}: psql commands (\\) cannot run here", self.file);
                return Err(Error::new(Kind::BadPack, message)
                    .hint("write plain SQL; a migration is not run by psql"));
            }
            _ if unterminated(kind) => {
                let line = self.line_of(at);
                let message = format!("{}: line {line}: a quote or comment is not closed", self.file);
                return Err(Error::new(Kind::BadPack, message));
            }
            _ => self.word(kind, at, end),
        }
        Ok(())
    }

    fn comment(&mut self, at: usize, end: usize) {
        let said = self.text[at..end].trim_start_matches('-').trim();
        if self.start.is_none() && said.starts_with("strata:") {
            self.directives.push(said.to_owned());
        }
    }

    fn word(&mut self, kind: TokenKind, at: usize, end: usize) {
        self.start.get_or_insert(at);
        let raw = &self.text[at..end];
        let word = match kind {
            // As Postgres folds in UTF-8: beyond ASCII letters stay as they are.
            TokenKind::Ident => raw.to_ascii_lowercase(),
            TokenKind::QuotedIdent { .. } => raw[..raw.len() - 1].replace("\"\"", "\""),
            _ => raw.to_owned(),
        };
        self.nest(kind, &word);
        if self.words.len() < WORDS {
            self.words.push(word.clone());
        }
        self.last = word;
    }

    /// Follows parentheses, and `begin atomic` to its `end`: the only places where a semicolon does not end a statement.
    fn nest(&mut self, kind: TokenKind, word: &str) {
        let opens_body = word == "atomic" && self.last == "begin";
        match kind {
            TokenKind::OpenParen => self.parens += 1,
            TokenKind::CloseParen => self.parens = self.parens.saturating_sub(1),
            TokenKind::Ident if opens_body => self.atomic = 1,
            TokenKind::Ident if self.atomic > 0 && word == "case" => self.atomic += 1,
            TokenKind::Ident if self.atomic > 0 && word == "end" => self.atomic -= 1,
            _ => {}
        }
    }

    fn end(&mut self, at: usize) {
        if let Some(start) = self.start.take() {
            let text = self.text[start..at].trim_end().to_owned();
            let line = self.line_of(start);
            let words = std::mem::take(&mut self.words);
            let directives = std::mem::take(&mut self.directives);
            self.done.push(Sql { text, line, words, directives });
        }
        (self.atomic, self.parens) = (0, 0);
        self.last.clear();
    }

    /// Counts on from where it last was: offsets only grow.
    fn line_of(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let line = line + self.text[from..at].matches('\n').count();
        self.counted = (at, line);
        line
    }
}

fn unterminated(kind: TokenKind) -> bool {
    use LiteralKind::*;
    match kind {
        TokenKind::BlockComment { terminated } | TokenKind::QuotedIdent { terminated, .. } => !terminated,
        TokenKind::Literal { kind } => match kind {
            BitStr { terminated }
            | ByteStr { terminated }
            | DollarQuotedString { terminated }
            | EscStr { terminated }
            | NationalStr { terminated }
            | Str { terminated }
            | UnicodeEscStr { terminated } => !terminated,
            Int { .. } | Numeric { .. } => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<String> {
        split("f", sql).expect("splittable").into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn a_semicolon_inside_quotes_comments_or_bodies_does_not_cut() {
        let one = [
            "select ';', E'\\';', $$;$$, $a$ $b$; $a$, \"a;b\" /* ; /* ; */ ; */",
            "create rule r as on insert to t do also (select 1; select 2)",
            "create function f() returns int language sql begin atomic select case when true then 1 end; select 2; end",
            "do $$ begin perform 1; end $$",
            "select U&'\\0441;', U&\"a;\", n'x;', b'01', x'1F'",
        ];
        for text in one {
            assert_eq!(texts(&format!("{text};")), [text]);
        }
        assert_eq!(texts("select 1 -- ; not here\n; select 2"), ["select 1 -- ; not here", "select 2"]);
    }

    #[test]
    fn keeps_the_line_of_the_first_word() {
        let parts =
            split("f", "\u{feff}-- head\r\n\r\n/* x */ select 1;\n\n  select 2;").expect("splittable");
        assert_eq!(
            parts.iter().map(|s| (s.line, s.text.as_str())).collect::<Vec<_>>(),
            [(3, "select 1"), (5, "select 2")]
        );
    }

    #[test]
    fn refuses_psql_commands_and_open_quotes() {
        for (sql, part) in
            [("select 1;\n\\i x.sql", "line 2: psql"), ("select 'a", "line 1: a quote"), ("/* a", "line 1")]
        {
            let err = split("x.up.sql", sql).expect_err("refused");
            assert!(err.to_string().contains(part), "{err}");
        }
    }

    #[test]
    fn a_body_begins_behind_any_number_of_words() {
        let arguments = (0..40).map(|n| format!("a{n} int")).collect::<Vec<_>>().join(", ");
        let text = format!("create function f({arguments}) returns int begin atomic select 1; select 2; end");
        assert_eq!(texts(&format!("{text}; select 3")), [text.as_str(), "select 3"]);
    }

    #[test]
    fn a_summary_fits_a_line() {
        let sql = &split("f", &format!("select\n   {};", "x, ".repeat(90))).expect("splittable")[0];
        assert!(sql.summary().starts_with("select x, x,") && sql.summary().len() == SUMMARY + 3);
    }
}
