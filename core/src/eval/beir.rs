//! A labelled set as BEIR writes it: `corpus.jsonl`, `queries.jsonl`, and judgements as tab-separated values.

use crate::error::{Error, Kind};
use serde_json::Value;
use std::collections::BTreeMap;

/// A document of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `_id`
    pub id: String,
    /// `title`; empty: none.
    pub title: String,
    /// `text`
    pub text: String,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `_id`
    pub id: String,
    /// `text`
    pub text: String,
}

/// Query to document to grade: above 0 is relevant.
pub type Judgements = BTreeMap<String, BTreeMap<String, i32>>;

/// Reads a `corpus.jsonl`. `name` is what the file is called. Fails with 22000, naming the line.
pub fn corpus(name: &str, file: &str) -> Result<Vec<Document>, Error> {
    lines(file)
        .map(|(n, line)| {
            let object = object(name, n, line)?;
            Ok(Document {
                id: text(name, n, &object, "_id")?,
                title: object.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
                text: text(name, n, &object, "text")?,
            })
        })
        .collect()
}

/// Reads a `queries.jsonl`. Fails with 22000, naming the line.
pub fn queries(name: &str, file: &str) -> Result<Vec<Query>, Error> {
    lines(file)
        .map(|(n, line)| {
            let object = object(name, n, line)?;
            Ok(Query { id: text(name, n, &object, "_id")?, text: text(name, n, &object, "text")? })
        })
        .collect()
}

/// Reads judgements: `query-id`, `corpus-id`, `score`, with or without that heading; or trec_eval's four columns, with a
/// number before the document. Fails with 22000, naming the line.
pub fn judgements(name: &str, file: &str) -> Result<Judgements, Error> {
    let mut judgements = Judgements::new();
    for (n, line) in lines(file) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let (query, document, grade) = match cells[..] {
            [query, document, grade] | [query, _, document, grade] => (query, document, grade),
            _ => return Err(fault(name, n, "has not three or four columns")),
        };
        match grade.parse() {
            Ok(grade) => {
                judgements.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
            }
            Err(_) if n == 1 && judgements.is_empty() => {}
            Err(_) => return Err(fault(name, n, &format!("has the grade \"{grade}\", which is no number"))),
        }
    }
    Ok(judgements)
}

/// The lines that are not blank, with their numbers.
fn lines(file: &str) -> impl Iterator<Item = (usize, &str)> {
    file.lines().enumerate().map(|(n, line)| (n + 1, line.trim())).filter(|(_, line)| !line.is_empty())
}

fn object(name: &str, n: usize, line: &str) -> Result<Value, Error> {
    match serde_json::from_str(line) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(fault(name, n, "is no JSON object")),
    }
}

/// A text, or a number as it is written: some sets number their documents.
fn text(name: &str, n: usize, object: &Value, key: &str) -> Result<String, Error> {
    match object.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(fault(name, n, &format!("has no \"{key}\""))),
    }
}

fn fault(name: &str, n: usize, what: &str) -> Error {
    Error::new(Kind::BadData, format!("line {n} of {name} {what}"))
        .hint("the files are those of BEIR: corpus.jsonl, queries.jsonl and qrels/test.tsv")
}
