//! Errors: one type, one exhaustive kind, and the answer of every door to each kind.

use std::fmt;
use std::num::NonZeroU32;

/// What went wrong, so far as a caller can act on it. Exhaustive on purpose: a new kind does not compile until every
/// door has an answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An argument or an option has a value that cannot be used.
    BadArgument,
    /// Data has a value that cannot be used, such as a vector of the wrong dimension.
    BadData,
    /// A statement of a migration failed; the SQLSTATE is the statement's own.
    Failed,
    /// A verification answered something else than it expected.
    VerificationFailed,
    /// A migration stands half-way and this request does not continue it.
    RepairNeeded,
    /// Another session holds the pack, or a table.
    Locked,
    /// A file that is applied has changed or is gone.
    Changed,
    /// The gate of a phase is not met.
    GateNotMet,
    /// The server cannot be reached, or the connection was lost.
    CannotConnect,
    /// What needs the operator's word did not get it.
    NotConfirmed,
    /// Behind the connection is a pooler that gives no session of one's own.
    NoSession,
    /// The server is a PostgreSQL older than the oldest that works.
    PostgresTooOld,
    /// pgvector is absent or too old.
    NoVector,
    /// There is no such pack.
    UnknownPack,
    /// A migration has to be taken back and has no down file.
    MissingDown,
    /// Two files claim the same version.
    DuplicateVersion,
    /// Vectors, columns and models disagree about their dimension.
    WrongDimension,
    /// The server has no database of that name.
    NoDatabase,
    /// The server does not accept the user or the password.
    NotAuthorized,
    /// The pack itself is wrong: manifest, file name, variable, statement.
    BadPack,
    /// The server does not offer the strata extension.
    NotInstalled,
    /// The provider of embeddings failed.
    ProviderFailed,
    /// A source, model, run or version that was named does not exist.
    NotFound,
    /// The caller may not do this.
    Forbidden,
    /// What a contract kept was removed, so that it cannot be taken back.
    Finalized,
    /// The server, or the session, may only read.
    ReadOnly,
    /// A dry run met no failure, and could not try every step.
    Untried,
    /// The operator stopped it.
    Interrupted,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 28] = [
        Kind::BadArgument,
        Kind::BadData,
        Kind::Failed,
        Kind::VerificationFailed,
        Kind::RepairNeeded,
        Kind::Locked,
        Kind::Changed,
        Kind::GateNotMet,
        Kind::CannotConnect,
        Kind::NotConfirmed,
        Kind::NoSession,
        Kind::PostgresTooOld,
        Kind::NoVector,
        Kind::UnknownPack,
        Kind::MissingDown,
        Kind::DuplicateVersion,
        Kind::WrongDimension,
        Kind::NoDatabase,
        Kind::NotAuthorized,
        Kind::BadPack,
        Kind::NotInstalled,
        Kind::ProviderFailed,
        Kind::NotFound,
        Kind::Forbidden,
        Kind::Finalized,
        Kind::ReadOnly,
        Kind::Untried,
        Kind::Interrupted,
    ];

    /// SQLSTATE, exit code of the command line, HTTP status, and what the kind means. Standard SQLSTATEs where one
    /// fits, class `ST` for our own; never 40001, which PostgREST before 16 retries for ever.
    const fn answers(self) -> (&'static str, u8, u16, &'static str) {
        match self {
            Kind::BadArgument => ("22023", 2, 400, "an argument or option has a value that cannot be used"),
            Kind::BadData => ("22000", 25, 400, "data has a value that cannot be used"),
            Kind::Failed => ("ST001", 1, 500, "a statement of a migration failed; its own SQLSTATE is given"),
            Kind::VerificationFailed => ("ST004", 4, 422, "a verification found another value than expected"),
            Kind::RepairNeeded => ("ST005", 5, 409, "a migration stands half-way and must be finished first"),
            Kind::Locked => ("55P03", 6, 409, "another session holds the lock of the pack, or of a table"),
            Kind::Changed => ("ST007", 7, 409, "a file of an applied version has changed or is gone"),
            Kind::GateNotMet => ("ST009", 9, 409, "the gate of a phase is not met"),
            Kind::CannotConnect => ("08001", 10, 503, "the server cannot be reached"),
            Kind::NotConfirmed => ("ST011", 11, 409, "what needs the operator's word did not get it"),
            Kind::NoSession => ("ST012", 12, 501, "a connection pooler gives no session of one's own"),
            Kind::PostgresTooOld => ("0A000", 13, 501, "the server is older than PostgreSQL 15"),
            Kind::NoVector => ("ST014", 14, 501, "pgvector is absent or too old"),
            Kind::UnknownPack => ("42704", 15, 404, "there is no such pack"),
            Kind::MissingDown => ("ST016", 16, 422, "a version has no down file"),
            Kind::DuplicateVersion => ("ST017", 17, 422, "two files claim the same version"),
            Kind::WrongDimension => ("22000", 18, 400, "vector, column and model differ in dimension"),
            Kind::NoDatabase => ("3D000", 19, 404, "the database does not exist"),
            Kind::NotAuthorized => ("28P01", 20, 401, "user or password are not accepted"),
            Kind::BadPack => ("ST021", 21, 422, "the pack itself is wrong"),
            Kind::NotInstalled => ("ST022", 22, 501, "the server does not offer the strata extension"),
            Kind::ProviderFailed => ("ST023", 23, 502, "the provider of embeddings failed"),
            Kind::NotFound => ("42704", 24, 404, "a source, model, run or version does not exist"),
            Kind::Forbidden => ("42501", 26, 403, "the caller may not do this"),
            Kind::Finalized => {
                ("ST027", 27, 409, "what a contract kept was removed: it cannot be taken back")
            }
            Kind::ReadOnly => ("25006", 28, 409, "the server, or the session, may only read"),
            Kind::Untried => ("ST029", 29, 409, "a dry run met no failure, and could not try every step"),
            Kind::Interrupted => ("57014", 130, 499, "stopped by the operator"),
        }
    }

    /// Five characters, as in the protocol.
    pub const fn sqlstate(self) -> &'static str {
        self.answers().0
    }

    /// Exit code of the command line.
    pub const fn exit_code(self) -> u8 {
        self.answers().1
    }

    /// Status of an HTTP answer.
    pub const fn http_status(self) -> u16 {
        self.answers().2
    }

    /// One line for the documentation.
    pub const fn meaning(self) -> &'static str {
        self.answers().3
    }
}

/// The table of `docs/errors.md`. A test compares the two; `cargo xtask errors` writes it.
pub fn documentation() -> String {
    let head = "| kind | SQLSTATE | exit code | HTTP | meaning |\n|---|---|---|---|---|\n".to_owned();
    Kind::ALL.iter().fold(head, |table, kind| {
        let (state, exit, status) = (kind.sqlstate(), kind.exit_code(), kind.http_status());
        table + &format!("| {kind:?} | `{state}` | {exit} | {status} | {} |\n", kind.meaning())
    })
}

/// What Postgres said about a statement that failed. Empty text where it said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DbError {
    /// Five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// DETAIL.
    pub detail: Option<String>,
    /// HINT.
    pub hint: Option<String>,
    /// CONTEXT: where in a function it happened.
    pub context: Option<Box<str>>,
    /// Where in the text of the statement. Unit: characters, from 1.
    pub position: Option<NonZeroU32>,
    /// The session has ended with it.
    pub fatal: bool,
}

/// What to do where strata's own tables may not be used.
const GRANT: &str = "let the owner of strata run: select strata.grant_operator('your role'); the owner of the database needs none";

/// What an operator may not: who signs should be another than who passes the gate, and what is removed is gone.
const APART: [&str; 4] =
    ["sign_off", "withdraw_sign_off", "finalize_migration_cleanup", "verify_migration_integrity"];

/// What to do where a right in strata is missing: the hint to the message of the server.
pub fn grant(message: &str) -> String {
    let apart = APART.iter().find(|name| message.ends_with(&format!(" function {name}")));
    apart.map_or_else(
        || GRANT.to_owned(),
        |name| {
            format!(
                "no operator has it, nor the owner of the database; let the owner of strata run: \
                 grant execute on function strata.{name} to your_role"
            )
        },
    )
}

/// What to do where nothing may be written.
const READ_ONLY: &str = "connect to the primary; where \"show default_transaction_read_only\" says on, the role or the database \
    is read-only by default: alter database ... set default_transaction_read_only = off";

/// An error of any door. Message: lower case, no full stop, names the value that was wrong. Hint: the next command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    sqlstate: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), sqlstate: None, detail: None, hint: None }
    }

    /// A statement that failed, with what was being done.
    pub fn failed(doing: &str, cause: DbError) -> Self {
        let read_only = (cause.sqlstate == "25006").then(|| READ_ONLY.to_owned());
        Error {
            kind: Kind::Failed,
            message: format!("{doing}: {} (SQLSTATE {})", cause.message, cause.sqlstate),
            sqlstate: Some(cause.sqlstate),
            detail: cause.detail,
            hint: cause.hint.or(read_only),
        }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a detail.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with a standard SQLSTATE that says more than the kind's own.
    pub fn with_sqlstate(mut self, sqlstate: &str) -> Self {
        self.sqlstate = Some(sqlstate.to_owned());
        self
    }

    /// The same where the cause is known to be of this kind.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        Error { kind, ..self }
    }

    /// What a caller can act on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The SQLSTATE of the cause where a statement failed, else the kind's.
    pub fn sqlstate(&self) -> &str {
        self.sqlstate.as_deref().unwrap_or(self.kind.sqlstate())
    }

    /// One line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// More about the cause.
    pub fn get_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// What to do next.
    pub fn get_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_exit_code_is_its_own() {
        let codes: HashSet<u8> = Kind::ALL.iter().map(|k| k.exit_code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(!codes.contains(&0));
        assert!(!codes.contains(&3), "3 means: migrations are pending");
    }

    #[test]
    fn the_documentation_has_every_kind() {
        let page = include_str!("../../docs/errors.md");
        assert!(
            page.contains(&documentation()),
            "run `cargo xtask errors`; it should hold\n{}",
            documentation()
        );
    }

    #[test]
    fn the_hint_to_a_missing_right_gives_that_right() {
        let apart = grant("permission denied for function sign_off");
        assert!(apart.ends_with("grant execute on function strata.sign_off to your_role"), "{apart}");
        assert_eq!(grant("permission denied for function start_run"), GRANT);
        assert_eq!(grant("permission denied for schema strata"), GRANT);
    }

    #[test]
    fn no_kind_answers_with_a_retryable_sqlstate() {
        assert!(Kind::ALL.iter().all(|k| k.sqlstate().len() == 5 && k.sqlstate() != "40001"));
    }

    #[test]
    fn a_failed_statement_keeps_its_own_sqlstate() {
        let cause =
            DbError { sqlstate: "23514".into(), message: "check violated".into(), ..Default::default() };
        let err = Error::failed("version 6", cause);
        assert_eq!((err.sqlstate(), err.kind()), ("23514", Kind::Failed));
        assert_eq!(err.to_string(), "version 6: check violated (SQLSTATE 23514)");
    }
}
