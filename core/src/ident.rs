//! Identifiers: the only way a name gets into a statement.

use crate::error::{Error, Kind};
use std::fmt;

/// Longest identifier that Postgres keeps whole. Unit: bytes. Source: NAMEDATALEN - 1.
const MAX_BYTES: usize = 63;

/// A checked identifier; displayed quoted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident(String);

impl Ident {
    /// Refuses an empty name, a name over 63 bytes and a NUL.
    pub fn new(name: &str) -> Result<Self, Error> {
        let fault = match name {
            "" => "is empty",
            n if n.contains('\0') => "contains a NUL",
            n if n.len() > MAX_BYTES => "is longer than 63 bytes",
            _ => return Ok(Ident(name.to_owned())),
        };
        Err(Error::new(Kind::BadArgument, format!("identifier \"{}\" {fault}", name.escape_debug())))
    }

    /// The bare name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A text as a literal that means the same under any setting of standard_conforming_strings.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it() {
        let odd = Ident::new("we\"ird Ünïcode").expect("valid");
        assert_eq!(odd.to_string(), "\"we\"\"ird Ünïcode\"");
    }

    #[test]
    fn refuses_names_that_postgres_would_cut_or_misread() {
        for (name, fault) in [("", "empty"), ("a\0b", "NUL"), (&"ä".repeat(32), "63 bytes")] {
            let err = Ident::new(name).expect_err(fault);
            assert!(err.to_string().contains(fault), "{err}");
            assert_eq!(err.kind(), Kind::BadArgument);
        }
    }

    #[test]
    fn a_literal_cannot_be_left() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'; drop table t; --"), " E'a\\\\''; drop table t; --'");
    }
}
