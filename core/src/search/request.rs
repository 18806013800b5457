//! What a caller of search asks for, and what of it is refused.

use super::Source;
use crate::error::{Error, Kind};

/// A uuid.
pub type Id = [u8; 16];

/// Most rows that one search returns. Unit: rows. Above it, paging by date or a narrower question serves better.
const MAX_ROWS: i32 = 1000;

/// Longest reach back. Unit: days, about 2,700 years: beyond it, subtracting from now leaves the calendar of Postgres.
const MAX_DAYS: i32 = 1_000_000;

/// The arguments of `rag_search`, nulls and all, but for the tenant.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// query_embedding
    pub embedding: Option<&'a [f32]>,
    /// match_count
    pub count: Option<i32>,
    /// date_range_days
    pub days: Option<i32>,
}

impl Request<'_> {
    /// Rows and days, checked. Refuses an embedding that points nowhere, too.
    pub(super) fn limits(&self) -> Result<(i64, Option<i32>), Error> {
        let embedding = self.embedding.ok_or_else(|| null("query_embedding must not be null"))?;
        if embedding.iter().any(|x| !x.is_finite()) || embedding.iter().all(|x| *x == 0.0) {
            return Err(Error::new(Kind::BadData, "query_embedding has no direction")
                .hint("a vector must be finite and not all zero"));
        }
        Ok((count(self.count)?, days(self.days)?))
    }

    /// Refuses an embedding of another dimension than the source's.
    pub(super) fn fits(&self, source: &Source) -> Result<(), Error> {
        let has = self.embedding.map_or(0, <[f32]>::len);
        if has == source.dimensions {
            return Ok(());
        }
        Err(Error::new(Kind::WrongDimension, format!("expected {} dimensions, not {has}", source.dimensions))
            .detail(format!("source \"{}\" uses model \"{}\"", source.entity_type, source.model))
            .hint("embed the query with the model of the sources"))
    }
}

fn count(count: Option<i32>) -> Result<i64, Error> {
    match count {
        Some(count) if (1..=MAX_ROWS).contains(&count) => Ok(count.into()),
        other => {
            Err(refused(format!("match_count must be between 1 and {MAX_ROWS}, not {}", or_null(other))))
        }
    }
}

fn days(days: Option<i32>) -> Result<Option<i32>, Error> {
    match days {
        Some(days) if days < 0 => Err(refused(format!("date_range_days must not be negative, not {days}"))),
        other => Ok(other.map(|days| days.min(MAX_DAYS))),
    }
}

/// Whose rows are searched. Under row level security that is the caller, named or not; who is above it names the tenant.
pub fn tenant(filter: Option<Id>, row_security: bool, caller: Option<Id>) -> Result<Id, Error> {
    match (filter, caller) {
        (Some(filter), _) if !row_security => Ok(filter),
        (None, _) if !row_security => Err(null("user_id_filter must not be null")
            .hint("this role bypasses row level security: name the tenant")),
        (Some(filter), Some(caller)) if filter == caller => Ok(caller),
        (None, Some(caller)) => Ok(caller),
        (None, None) => Err(null("user_id_filter is null and the caller is not known")
            .hint("sign in, so that auth.uid() or request.jwt.claims names the caller")),
        (Some(filter), _) => {
            Err(Error::new(Kind::Forbidden, format!("user_id_filter {} is not the caller", Uuid(filter)))
                .hint("pass null or your own id"))
        }
    }
}

fn null(message: &str) -> Error {
    Error::new(Kind::BadArgument, message).with_sqlstate("22004")
}

fn refused(message: String) -> Error {
    Error::new(Kind::BadArgument, message)
}

fn or_null(value: Option<i32>) -> String {
    value.map_or_else(|| "null".to_owned(), |v| v.to_string())
}

/// Shows an id as Postgres does.
struct Uuid(Id);

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            let dash = if matches!(n, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}
