//! Splitting a script at its semicolons, by Postgres' lexical rules.

use super::directive::Directive;
use crate::error::{Error, Kind};
use squawk_lexer::{LiteralKind, TokenKind, tokenize};
use std::num::NonZeroU32;

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
    /// What the comments before it ask of the runner.
    pub directives: Vec<Directive>,
}

/// Words that are kept of each statement. Enough for the longest form that is told apart by its words.
pub(super) const WORDS: usize = 32;

impl Sql {
    /// One line to call it by.
    pub fn summary(&self) -> String {
        let line = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SUMMARY) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }

    /// The line of the file that a position in its text is in. Unit of the position: characters, from 1.
    pub fn line_of(&self, position: Option<NonZeroU32>) -> usize {
        let before = position.map_or(0, |at| at.get() as usize - 1);
        let end = self.text.char_indices().nth(before).map_or(0, |(end, _)| end);
        self.line + lines_in(&self.text[..end])
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

    /// Why it cannot be sent without the rows of a client, or a place for them.
    fn needs_a_client(&self) -> Option<&'static str> {
        // Postgres takes either name of the client for both ways.
        let client =
            |way: &str| self.words.windows(2).any(|w| w[0] == way && (w[1] == "stdin" || w[1] == "stdout"));
        match self.starts(&["copy"]) {
            true if client("from") => Some("copy from stdin needs a client for the rows"),
            true if client("to") => Some("copy to stdout needs a client for the rows"),
            _ => None,
        }
    }
}

/// The statements of `text` in order. Empty ones are dropped; strings, dollar quotes, comments and the body of a
/// `begin atomic` function are never cut. Refuses, with file and line, what only psql understands.
pub fn split(file: &str, text: &str) -> Result<Vec<Sql>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut splitter = Splitter::new(file, text);
    if let Some(at) = text.find('\0') {
        return Err(splitter.refuse(at, "there is a NUL in the file"));
    }
    let mut at = 0;
    while at < text.len() {
        let Some(token) = tokenize(&text[at..]).next() else { break };
        let end = at + token.len as usize;
        let end = match token.kind {
            // To Postgres a carriage return ends a line too, and with it the comment.
            TokenKind::LineComment => text[at..end].find('\r').map_or(end, |length| at + length),
            kind => splitter.continued(kind, at).unwrap_or(end),
        };
        splitter.token(token.kind, at, end)?;
        at = end;
    }
    splitter.end(text.len())?;
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
    directives: Vec<Directive>,
    /// How far the lines are counted: an offset, and the line it is in.
    counted: (usize, usize),
    /// Depth of `begin atomic ... end` and `case ... end` in a function body.
    atomic: usize,
    parens: usize,
    brackets: usize,
    /// Depth of parentheses inside which a colon belongs to `json_object(key: value)`.
    json: Option<usize>,
    /// Where the last string with backslash escapes ended: one that follows on a later line continues it.
    escaped: Option<usize>,
}

impl<'t> Splitter<'t> {
    fn new(file: &'t str, text: &'t str) -> Self {
        let (done, words, directives, last) = (Vec::new(), Vec::new(), Vec::new(), String::new());
        let (counted, atomic, parens, brackets) = ((0, 1), 0, 0, 0);
        let (start, json, escaped) = (None, None, None);
        Splitter {
            file,
            text,
            done,
            start,
            words,
            last,
            directives,
            counted,
            atomic,
            parens,
            brackets,
            json,
            escaped,
        }
    }

    fn token(&mut self, kind: TokenKind, at: usize, end: usize) -> Result<(), Error> {
        match kind {
            _ if unterminated(kind) => return Err(self.refuse(at, "a quote or comment is not closed")),
            TokenKind::Whitespace | TokenKind::Eof => {}
            TokenKind::LineComment | TokenKind::BlockComment { .. } => self.comment(at, end)?,
            TokenKind::Semi if self.atomic == 0 && self.parens == 0 => self.end(at)?,
            TokenKind::Unknown if self.text[at..].starts_with('\\') => {
                let error = self.refuse(at, "psql commands (\\) cannot run here");
                return Err(error.hint("write plain SQL; a migration is not run by psql"));
            }
            TokenKind::Colon if self.is_psql_variable(at, end) => {
                let error = self.refuse(at, "psql variables (:name) cannot run here");
                return Err(error.hint("declare it in pack.toml under [variables] and write ${name}"));
            }
            _ => self.word(kind, at, end),
        }
        Ok(())
    }

    /// Speaks to us if it says so, and then it must say something that is known, where it can be heeded.
    fn comment(&mut self, at: usize, end: usize) -> Result<(), Error> {
        match Directive::read(&self.text[at..end]) {
            None => {}
            Some(Ok(_)) if self.start.is_some() => {
                let error = self.refuse(at, "a directive inside a statement");
                return Err(error.hint("put it between two statements"));
            }
            Some(Ok(directive)) => self.directives.push(directive),
            Some(Err(unknown)) => {
                let error = self.refuse(at, &format!("directive \"{unknown}\" is not known"));
                return Err(error.hint(Directive::known()));
            }
        }
        Ok(())
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
        let escapes = matches!(kind, TokenKind::Literal { kind: LiteralKind::EscStr { .. } });
        let continues = self.continues(kind, at);
        self.escaped = (escapes || continues).then_some(end);
    }

    /// Follows parentheses, and `begin atomic` to its `end`: the only places where a semicolon does not end a statement.
    fn nest(&mut self, kind: TokenKind, word: &str) {
        let creates = self.words.first().is_some_and(|first| first == "create");
        let opens_body = creates && word == "atomic" && self.last == "begin";
        match kind {
            TokenKind::OpenParen => {
                self.parens += 1;
                if self.json.is_none() && matches!(self.last.as_str(), "json_object" | "json_objectagg") {
                    self.json = Some(self.parens);
                }
            }
            TokenKind::CloseParen => {
                self.parens = self.parens.saturating_sub(1);
                self.json = self.json.filter(|depth| *depth <= self.parens);
            }
            TokenKind::OpenBracket => self.brackets += 1,
            TokenKind::CloseBracket => self.brackets = self.brackets.saturating_sub(1),
            TokenKind::Ident if opens_body => self.atomic = 1,
            TokenKind::Ident if self.atomic > 0 && word == "case" => self.atomic += 1,
            TokenKind::Ident if self.atomic > 0 && word == "end" => self.atomic -= 1,
            _ => {}
        }
    }

    /// `:name`, `:'name'`, `:"name"` or `:{?name}`, and not a cast, an array slice or a key of `json_object`.
    fn is_psql_variable(&self, at: usize, end: usize) -> bool {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() || "'\"{".contains(c);
        let cast = self.text[..at].ends_with(':');
        !cast && self.brackets == 0 && self.json.is_none() && self.text[end..].starts_with(named)
    }

    /// A plain string that continues one with backslash escapes has them too: Postgres joins the two when only white
    /// space with a line break, or a comment, is between them.
    fn continues(&self, kind: TokenKind, at: usize) -> bool {
        let plain = matches!(kind, TokenKind::Literal { kind: LiteralKind::Str { .. } });
        plain && self.escaped.is_some_and(|end| joins(&self.text[end..at]))
    }

    /// Where such a string really ends.
    fn continued(&self, kind: TokenKind, at: usize) -> Option<usize> {
        if !self.continues(kind, at) {
            return None;
        }
        let escaped = format!("e{}", &self.text[at..]);
        tokenize(&escaped).next().map(|token| at + token.len as usize - 1)
    }

    fn end(&mut self, at: usize) -> Result<(), Error> {
        let words = std::mem::take(&mut self.words);
        if let Some(start) = self.start.take() {
            let text = self.text[start..at].trim_end().to_owned();
            let line = self.line_of(start);
            let directives = std::mem::take(&mut self.directives);
            let sql = Sql { text, line, words, directives };
            if let Some(reason) = sql.needs_a_client() {
                let message = format!("{}: line {line}: {}: {reason}", self.file, sql.summary());
                return Err(Error::new(Kind::BadPack, message).hint("use insert, or a table to copy from"));
            }
            self.done.push(sql);
        }
        (self.atomic, self.parens, self.brackets, self.json) = (0, 0, 0, None);
        (self.escaped, self.last) = (None, String::new());
        Ok(())
    }

    fn refuse(&mut self, at: usize, reason: &str) -> Error {
        let line = self.line_of(at);
        Error::new(Kind::BadPack, format!("{}: line {line}: {reason}", self.file))
    }

    /// Counts on from where it last was: offsets only grow.
    fn line_of(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let line = line + lines_in(&self.text[from..at]);
        self.counted = (at, line);
        line
    }
}

/// Line breaks of a text, whichever system wrote it.
fn lines_in(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(|pair| ends(*pair)).count()
}

/// White space with a line break in it, or line comments.
fn joins(between: &str) -> bool {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("--");
    between.contains(['\n', '\r']) && between.split(['\n', '\r']).all(blank)
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

    #[test]
    fn a_carriage_return_ends_a_comment() {
        assert_eq!(
            texts("select 1;\r-- one\rselect 2;\r\n-- two\r\nselect 3"),
            ["select 1", "select 2", "select 3"]
        );
    }

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
        let long = &split("f", "\nselect 'ä',\r\n\r\n  oops").expect("splittable")[0];
        assert_eq!([0, 17, 99].map(|at| long.line_of(NonZeroU32::new(at))), [2, 4, 2]);
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
    fn refuses_psql_variables_and_keeps_every_other_colon() {
        for sql in [
            "select :x",
            "select :'x'",
            "select 1 from :\"t\"",
            "select f(:x)",
            "select a.:b",
            "select :{?x}",
        ] {
            let err = split("f", &format!("select 1;\n{sql}")).expect_err("refused");
            assert!(err.to_string().starts_with("f: line 2: psql variables"), "{err}");
        }
        for sql in [
            "select a::text, b :: int",
            "select a[1:n], a[:n], a[f(x):g[y:z]]",
            "select json_object('a':b, 'c' : f(d))",
            "call p(a := 1)",
            "select ':x', $$:x$$, \":x\" -- :x",
        ] {
            assert_eq!(texts(sql).len(), 1, "{sql}");
        }
    }

    #[test]
    fn a_string_that_continues_one_with_escapes_has_escapes() {
        let text = "select E'a'\n -- more\n 'b\\';c', 1";
        assert_eq!(texts(&format!("{text}; select 2")), [text, "select 2"]);
        assert_eq!(texts("select 'a'\n'b\\'; select 2").len(), 2, "without the E the backslash is a letter");
        assert_eq!(texts("select E'a', 'b\\'; select 2").len(), 2, "nor is it continued by another one");
    }

    #[test]
    fn refuses_rows_for_a_client_before_it_reads_them_as_statements() {
        let err = split("f", "select 1;\ncopy t from stdin;\n1\tit's\n\\.\n").expect_err("refused");
        assert!(err.to_string().starts_with("f: line 2: copy t from stdin: "), "{err}");
    }

    #[test]
    fn a_directive_must_be_known_and_heard() {
        for (sql, part) in [
            (
                "select 1;\n-- strata: new transction\nselect 2",
                "line 2: directive \"new transction\" is not known",
            ),
            ("select 1;\n/* STRATA : nonsense */", "line 2: directive \"nonsense\" is not known"),
            ("select 1\n-- strata: new transaction\n, 2", "line 2: a directive inside a statement"),
        ] {
            let err = split("f", sql).expect_err("refused");
            assert!(err.to_string().ends_with(part), "{err}");
        }
        let known = split("f", "--Strata:  New  transaction \r\nselect 1").expect("known");
        assert_eq!(known[0].directives, [Directive::NewTransaction]);
        assert_eq!(split("f", "-- strata keeps this\nselect 1").expect("prose")[0].directives, []);
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
