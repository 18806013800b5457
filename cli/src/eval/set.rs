//! A labelled set on disk.

use std::path::{Path, PathBuf};
use strata_core::eval::{self, Document, Judgements, Query};
use strata_core::{Error, Kind};

/// Documents, questions and judgements.
pub struct Set {
    /// All documents.
    pub documents: Vec<Document>,
    /// The questions that have judgements.
    pub queries: Vec<Query>,
    /// What is relevant to which.
    pub judgements: Judgements,
}

impl Set {
    /// Reads `corpus.jsonl`, `queries.jsonl` and the judgements, by default `qrels/test.tsv`, of a folder.
    pub fn read(folder: &Path, qrels: Option<&Path>) -> Result<Set, Error> {
        let (corpus, queries) = (folder.join("corpus.jsonl"), folder.join("queries.jsonl"));
        let qrels = qrels.map_or_else(|| folder.join("qrels").join("test.tsv"), Path::to_path_buf);
        let documents = eval::corpus(&shown(&corpus), &file(&corpus)?)?;
        let mut questions = eval::queries(&shown(&queries), &file(&queries)?)?;
        let judgements = eval::judgements(&shown(&qrels), &file(&qrels)?)?;
        questions.retain(|query| judgements.contains_key(&query.id));
        if let Some(blank) = questions.iter().find(|query| query.text.trim().is_empty()) {
            return Err(Error::new(Kind::BadData, format!("question {} has no text", blank.id)));
        }
        let nothing = |what: &str| {
            Err(Error::new(Kind::BadData, format!("{what} in {}", folder.display()))
                .hint("the ids of questions and judgements must be the same"))
        };
        match (documents.is_empty(), questions.is_empty()) {
            (true, _) => nothing("there is no document"),
            (_, true) => nothing("no question has judgements"),
            _ => Ok(Set { documents, queries: questions, judgements }),
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn file(path: &PathBuf) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|cause| {
        Error::new(Kind::BadArgument, format!("{} cannot be read: {cause}", path.display()))
            .hint("a labelled set is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv")
    })
}
