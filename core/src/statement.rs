//! A statement as a value: what a door runs, and what it hands back.

use crate::error::DbError;
use crate::ident::literal;

/// A parameter. The text of the statement casts it: `$1::bigint`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL of type text.
    Null,
    /// text
    Text(String),
    /// int8
    Int(i64),
    /// bool
    Bool(bool),
    /// jsonb
    Json(serde_json::Value),
}

impl Value {
    /// As it is written in a statement.
    fn literal(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Text(text) => literal(text),
            Value::Int(number) => format!("'{number}'"),
            Value::Bool(truth) => truth.to_string(),
            Value::Json(json) => literal(&json.to_string()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// Whose a statement is, and with that how a door runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Ours, with parameters, about strata's own tables. A door whose session is not theirs runs it as their owner.
    State,
    /// Ours, with parameters, about the session as the files have left it: its role, its search path.
    Session,
    /// As it is written, without parameters. Nobody looks at its rows.
    File,
    /// As it is written, for the sake of its rows.
    Check,
    /// As it is written, and refused by the server where it turns out to be more than one statement: nothing hides behind
    /// its semicolon. One row with one column: how many rows it returned or touched.
    Single,
    /// Several, parted by [`AND`], without parameters and rows: one after another, in whatever way costs a door least.
    Reset,
}

/// What brings a session back to the role that it came with, also within a transaction.
const OWN_ROLE: [&str; 2] = ["reset session authorization", "reset role"];

/// What a session begins with, whatever a role or a database has for its application: files are split as these strings are
/// read, and the books of one pack are no reason for another's transaction to fail.
pub const GROUND: [(&str, &str); 2] =
    [("standard_conforming_strings", "on"), ("default_transaction_isolation", "read committed")];

/// Between the statements of [`Nature::Reset`].
pub const AND: &str = "; ";

/// One statement; only of the nature [`Nature::Reset`] several.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// Bound in order to $1, $2, ...
    pub params: Vec<Value>,
    /// Whose it is.
    pub nature: Nature,
}

impl Statement {
    /// What brings a session back to what it was when it began, whatever a file has set in it.
    pub fn reset() -> Self {
        let all = [OWN_ROLE.join(AND), "reset all".to_owned(), Statement::ground().sql];
        Statement { sql: all.join(AND), ..Statement::own_role() }
    }

    /// [`GROUND`].
    pub fn ground() -> Self {
        let set = GROUND.map(|(name, value)| format!("set {name} = '{value}'"));
        Statement { sql: set.join(AND), ..Statement::own_role() }
    }

    /// What brings a session back to the role that it came with, and to nothing else.
    pub fn own_role() -> Self {
        Statement { sql: OWN_ROLE.join(AND), params: Vec::new(), nature: Nature::Reset }
    }

    /// One of our own, from `sql/query/`.
    pub fn ours(sql: &'static str, params: Vec<Value>) -> Self {
        Statement { sql: sql.to_owned(), params, nature: Nature::State }
    }

    /// One of our own that asks or sets the session itself.
    pub fn of_session(sql: &'static str, params: Vec<Value>) -> Self {
        Statement { sql: sql.to_owned(), params, nature: Nature::Session }
    }

    /// One that is sent as it is written.
    pub fn verbatim(sql: impl Into<String>) -> Self {
        Statement { sql: sql.into(), params: Vec::new(), nature: Nature::File }
    }

    /// One that is sent as it is written, and only if it is one.
    pub fn single(sql: impl Into<String>) -> Self {
        Statement { nature: Nature::Single, ..Statement::verbatim(sql) }
    }

    /// One that is sent as it is written and whose rows are read.
    pub fn check(sql: impl Into<String>) -> Self {
        Statement { nature: Nature::Check, ..Statement::verbatim(sql) }
    }

    /// The statements of the text, each with its parameters written into it: for a door that sends several at once. Of what
    /// says what one of ours is for, only its name stays.
    pub fn spelled(&self) -> Vec<String> {
        match self.nature {
            Nature::Reset => self.sql.split(AND).map(str::to_owned).collect(),
            Nature::File | Nature::Check | Nature::Single => vec![self.sql.clone()],
            Nature::State | Nature::Session => vec![self.filled()],
        }
    }

    fn filled(&self) -> String {
        let (head, body): (Vec<&str>, Vec<&str>) = self.sql.lines().partition(|line| line.starts_with("--"));
        let name = head.first().and_then(|line| line.split_once(':')).map(|(name, _)| format!("{name}:\n"));
        let body = body.join("\n");
        let mut parts = body.split('$');
        let mut text = name.unwrap_or_default() + parts.next().unwrap_or_default();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let value =
                part[..digits].parse().ok().and_then(|number: usize| self.params.get(number.checked_sub(1)?));
            text += &value.map_or_else(|| format!("${}", &part[..digits]), Value::literal);
            text += &part[digits..];
        }
        text
    }
}

/// One row, every column as text.
pub type Row = Vec<Option<String>>;

/// What came of a statement.
pub type Reply = Result<Vec<Row>, DbError>;

/// Column `index` of a row, empty where it is NULL or absent.
pub fn column(row: &Row, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_spelled_with_its_values_where_their_numbers_stand() {
        let sql = "-- what: it does, with $1\n-- $2 text\nselect f($2::text, $1::int8, $10, $3::bool, '$')";
        let params = vec![Value::Int(-7), Value::from("it's $1\n--"), Value::Bool(true)];
        let spelled = Statement::ours(sql, params).spelled();
        assert_eq!(spelled, ["-- what:\nselect f('it''s $1\n--'::text, '-7'::int8, $10, true::bool, '$')"]);
    }

    #[test]
    fn what_a_file_says_is_spelled_as_it_is() {
        assert_eq!(Statement::verbatim("select $1 -- x").spelled(), ["select $1 -- x"]);
        let own = ["reset session authorization", "reset role"];
        assert_eq!(Statement::own_role().spelled(), own);
        let ground = [
            "set standard_conforming_strings = 'on'",
            "set default_transaction_isolation = 'read committed'",
        ];
        assert_eq!(Statement::reset().spelled(), [&own[..], &["reset all"], &ground[..]].concat());
    }
}
