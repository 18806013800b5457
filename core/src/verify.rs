//! Verifications: a query that answers what it expected and what it found, so that a difference can fail.

use crate::error::{Error, Kind};
use crate::script;
use crate::statement::{Row, column};

/// One line of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
    /// Whether that is good.
    pub ok: bool,
}

/// How a query begins.
const QUERIES: [&str; 5] = ["select", "with", "values", "table", "("];

/// The one query of a verify file.
pub fn query(file: &str, text: &str) -> Result<String, Error> {
    let mut statements = script::split(file, text)?;
    match (statements.pop(), statements.len()) {
        (Some(only), 0) if script::writes(&only.text).is_some() => {
            let word = script::writes(&only.text).unwrap_or_default();
            let message =
                format!("{file}: line {}: a verification only asks, and \"{word}\" writes", only.line);
            Err(Error::new(Kind::BadPack, message).hint("write one select; quote a column of that name"))
        }
        (Some(only), 0) if QUERIES.contains(&only.words.first().map_or("", String::as_str)) => Ok(only.text),
        (Some(other), 0) => {
            let message =
                format!("{file}: line {}: a verification only asks: {}", other.line, other.summary());
            Err(Error::new(Kind::BadPack, message).hint("write one select"))
        }
        (_, others) => {
            let count = if others == 0 { 0 } else { others + 1 };
            Err(Error::new(Kind::BadPack, format!("{file}: a verification is one query, not {count}"))
                .hint("join the checks with union all"))
        }
    }
}

/// The rows of a verification: (check_name, expected, actual, ok).
pub fn checks(file: &str, rows: &[Row]) -> Result<Vec<Check>, Error> {
    let shape = |what: &str| {
        Error::new(Kind::BadPack, format!("{file}: {what}"))
            .hint("a verification returns (check_name text, expected text, actual text, ok boolean)")
    };
    if rows.is_empty() {
        return Err(shape("the verification returned no row, so nothing was verified"));
    }
    let check = |row: &Row| match row.len() {
        4 => Ok(Check {
            name: column(row, 0).to_owned(),
            expected: column(row, 1).to_owned(),
            actual: column(row, 2).to_owned(),
            ok: matches!(column(row, 3), "t" | "true"),
        }),
        n => Err(shape(&format!("the verification returned {n} columns"))),
    };
    rows.iter().map(check).collect()
}

/// An error that names the first check that failed and counts the others.
pub fn judge(what: &str, checks: &[Check]) -> Result<(), Error> {
    let failed: Vec<&Check> = checks.iter().filter(|c| !c.ok).collect();
    let Some(first) = failed.first() else { return Ok(()) };
    let more = match failed.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    let message =
        format!("{what}: {}: expected {}, found {}{more}", first.name, first.expected, first.actual);
    let detail: Vec<String> =
        failed.iter().map(|c| format!("{}: expected {}, found {}", c.name, c.expected, c.actual)).collect();
    let error = Error::new(Kind::VerificationFailed, message);
    Err(if failed.len() == 1 { error } else { error.detail(detail.join("; ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: [&str; 4]) -> Row {
        columns.map(|c| Some(c.to_owned())).to_vec()
    }

    #[test]
    fn a_difference_fails_and_is_named() {
        let rows = [row(["a", "1", "1", "t"]), row(["b", "2", "3", "f"]), row(["c", "x", "y", "f"])];
        let checks = checks("f", &rows).expect("well-formed");
        let err = judge("version 3", &checks).expect_err("differs");
        assert_eq!(err.to_string(), "version 3: b: expected 2, found 3 (and 1 more)");
        assert_eq!(err.kind(), Kind::VerificationFailed);
        assert!(judge("version 3", &checks[..1]).is_ok());
    }

    #[test]
    fn null_is_not_ok() {
        let mut null = row(["a", "1", "", "t"]);
        null[3] = None;
        assert!(judge("v", &checks("f", &[null]).expect("well-formed")).is_err());
    }

    #[test]
    fn a_verification_that_verifies_nothing_is_refused() {
        assert!(checks("v.sql", &[]).expect_err("empty").to_string().contains("v.sql"));
        assert!(checks("v.sql", &[vec![None; 3]]).expect_err("columns").to_string().contains("3 columns"));
        for text in
            ["", "select 1; select 2", "commit", "insert into t values (1) returning 'a', '1', '1', true"]
        {
            assert_eq!(query("v.sql", text).expect_err("not one").kind(), Kind::BadPack);
        }
        assert_eq!(query("v.sql", "-- c\nselect 1;").expect("one"), "select 1");
    }
}
