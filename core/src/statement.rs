//! A statement as a value: what a door runs, and what it hands back.

use crate::error::DbError;

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

/// One statement. Ours has parameters and goes by the extended protocol; a migration's is `verbatim` and goes as it is
/// written by the simple one.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text, a single statement.
    pub sql: String,
    /// Bound in order to $1, $2, ...
    pub params: Vec<Value>,
    /// True: send by the simple protocol, without parameters.
    pub verbatim: bool,
}

impl Statement {
    /// One of our own, from `sql/query/`.
    pub fn ours(sql: &'static str, params: Vec<Value>) -> Self {
        Statement { sql: sql.to_owned(), params, verbatim: false }
    }

    /// One that is sent as it is written.
    pub fn verbatim(sql: impl Into<String>) -> Self {
        Statement { sql: sql.into(), params: Vec::new(), verbatim: true }
    }
}

/// One row, every column as text.
pub type Row = Vec<Option<String>>;

/// What came of a statement.
pub type Reply = Result<Vec<Row>, DbError>;

/// Column `index` of a row, empty where it is NULL or absent.
pub(crate) fn column(row: &Row, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}
