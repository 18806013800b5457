//! Several statements as one message: the server runs them in order, and none behind the one that fails.

use crate::session::{Session, db_error};
use futures_util::TryStreamExt;
use std::num::NonZeroU32;
use std::pin::pin;
use strata_core::error::DbError;
use strata_core::statement::{Reply, Row, Statement};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

/// Between two statements: a comment at the end of the first ends with its line.
const SEPARATOR: &str = "\n;\n";

/// A statement of the message: whose, and where it begins. Unit: characters.
struct Piece {
    statement: usize,
    begins: usize,
    text: String,
}

impl Session {
    /// Runs statements in order and returns their replies, through that of the one that failed.
    pub async fn run_together(&self, statements: &[Statement]) -> Vec<Reply> {
        let pieces = pieces(statements);
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let (mut rows, mut done) = (vec![Vec::new(); statements.len()], 0);
        let outcome = self.hear_together(&texts.join(SEPARATOR), &pieces, &mut rows, &mut done).await;
        let Err(error) = outcome else { return rows.into_iter().map(Ok).collect() };
        let (at, cause) = blame(&pieces, done, db_error(error));
        rows.truncate(at);
        rows.into_iter().map(Ok).chain([Err(cause)]).collect()
    }

    /// Rows come in before the end of their statement.
    async fn hear_together(
        &self,
        text: &str,
        pieces: &[Piece],
        rows: &mut [Vec<Row>],
        done: &mut usize,
    ) -> Result<(), tokio_postgres::Error> {
        let mut messages = pin!(self.client().simple_query_raw(text).await?);
        while let Some(message) = messages.try_next().await? {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let of = pieces.get(*done).and_then(|piece| rows.get_mut(piece.statement));
                    of.into_iter().for_each(|of| of.push(texts(&row)));
                }
                SimpleQueryMessage::CommandComplete(_) => *done += 1,
                _ => {}
            }
        }
        Ok(())
    }
}

fn texts(row: &SimpleQueryRow) -> Row {
    (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()
}

fn pieces(statements: &[Statement]) -> Vec<Piece> {
    let mut begins = 0;
    let spelled =
        statements.iter().enumerate().flat_map(|(i, one)| one.spelled().into_iter().map(move |t| (i, t)));
    let piece = |(statement, text): (usize, String)| {
        let piece = Piece { statement, begins, text };
        begins += piece.text.chars().count() + SEPARATOR.len();
        piece
    };
    spelled.map(piece).collect()
}

/// Which statement failed: the first that is not done; where none is done, the one that the server points at, since it says
/// what it cannot read before it runs anything. The position becomes one within the statement.
fn blame(pieces: &[Piece], done: usize, mut cause: DbError) -> (usize, DbError) {
    let at = cause.position.map(|position| position.get() as usize - 1);
    let pointed = at.and_then(|at| pieces.iter().rposition(|piece| piece.begins <= at));
    let index = pointed.filter(|_| done == 0).unwrap_or(done).min(pieces.len().saturating_sub(1));
    let Some(piece) = pieces.get(index) else { return (0, cause) };
    cause.position =
        at.and_then(|at| at.checked_sub(piece.begins)).and_then(|at| NonZeroU32::new(at as u32 + 1));
    (piece.statement, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<Piece> {
        pieces(&[Statement::reset(), Statement::verbatim("begin"), Statement::verbatim("select ä, y")])
    }

    fn at(position: Option<u32>) -> DbError {
        DbError { position: position.and_then(NonZeroU32::new), ..DbError::default() }
    }

    #[test]
    fn a_failure_is_that_of_the_first_statement_that_is_not_done() {
        let reset = Statement::reset().spelled().len();
        for (done, statement) in [(0, 0), (reset - 1, 0), (reset, 1), (reset + 1, 2), (reset + 2, 2)] {
            assert_eq!(blame(&three(), done, at(None)).0, statement, "{done} done");
        }
    }

    #[test]
    fn a_position_is_one_within_its_statement() {
        let pieces = three();
        let before = pieces.last().expect("three").begins as u32;
        let (statement, cause) = blame(&pieces, 0, at(Some(before + 11)));
        assert_eq!((statement, cause.position), (2, NonZeroU32::new(11)));
    }
}
