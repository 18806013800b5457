//! Why a connection could not be opened: one line that names the server and what to do next, never a password.

use super::settings::{Settings, Target};
use rustls::{AlertDescription, CertificateError};
use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::time::Duration;
use strata_core::{Error, Kind};
use tokio_postgres::error::DbError;

/// Why one attempt failed.
pub enum Cause {
    /// The library's error, mostly the server's answer.
    Postgres(tokio_postgres::Error),
    /// The name of the host has no address.
    Unresolved(io::Error),
    /// No answer in this time.
    TimedOut(Duration),
}

impl Cause {
    /// What the server said.
    pub fn answer(&self) -> Option<&DbError> {
        match self {
            Cause::Postgres(error) => error.as_db_error(),
            _ => None,
        }
    }

    /// Whether the same server may take another kind of line. A wrong password is not tried again in the clear.
    pub fn depends_on_tls(&self) -> bool {
        match (self, self.answer()) {
            (_, Some(answer)) => answer.code().code() == "28000",
            (Cause::Postgres(error), None) => is_tls(error),
            _ => false,
        }
    }

    /// The root of the chain of errors, where it has this type.
    fn source<T: StdError + 'static>(&self) -> Option<&T> {
        match self {
            Cause::Postgres(error) => find(error),
            _ => None,
        }
    }
}

/// The library keeps the kind of its errors to itself; its version is pinned, and a test looks at this text.
fn is_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string() == "error performing TLS handshake"
}

/// The first error of this type on the way to the root, also where `io::Error` hides it.
fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    if let Some(found) = error.downcast_ref::<T>() {
        return Some(found);
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => find(inner as &(dyn StdError + 'static)),
        None => error.source().and_then(find),
    }
}

/// The attempt that failed.
pub struct Failure<'a> {
    /// Where to.
    pub target: &'a Target,
    /// As whom, and to which database.
    pub settings: &'a Settings,
    /// Where the password came from, when there was one.
    pub password: Option<&'a str>,
}

impl Failure<'_> {
    /// The error that the operator sees.
    pub fn explain(&self, cause: &Cause) -> Error {
        let error = match cause {
            Cause::TimedOut(time) => self.unreachable(&format!("no answer within {} s", time.as_secs())),
            Cause::Unresolved(error) => self.unresolved(error),
            Cause::Postgres(error) => match cause.answer() {
                Some(answer) => self.answered(answer),
                None => self.unanswered(cause, error),
            },
        };
        one_line(error)
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(Kind::CannotConnect, format!("cannot connect to {}: {why}", self.target))
            .hint("check host and port, and that PostgreSQL runs and listens there")
    }

    fn unresolved(&self, error: &io::Error) -> Error {
        let why = format!("host \"{}\" has no address: {error}", self.target.host);
        self.unreachable(&why).hint("check the name of the host")
    }

    fn unauthorized(&self, why: &str, hint: impl Into<String>) -> Error {
        let message = format!("{} does not let user \"{}\" in: {why}", self.target, self.settings.user);
        Error::new(Kind::NotAuthorized, message).hint(hint)
    }

    /// The server said no.
    fn answered(&self, answer: &DbError) -> Error {
        let (code, said) = (answer.code().code(), answer.message());
        match code {
            "28P01" => self.unauthorized(said, self.where_from()),
            "28000" => self.unauthorized(said, "check user, pg_hba.conf of the server, and sslmode"),
            "3D000" => self.no_database(),
            "42501" => {
                let (user, database) = (&self.settings.user, &self.settings.database);
                Error::new(Kind::Forbidden, format!("{}: {said}", self.target))
                    .hint(format!("grant connect on database \"{database}\" to \"{user}\""))
            }
            "42704" | "22023" => Error::new(Kind::BadArgument, format!("{}: {said}", self.target))
                .hint("check options, and PGOPTIONS"),
            _ => self.unreachable(&format!("{said} (SQLSTATE {code})")).hint(hint(code)),
        }
    }

    fn no_database(&self) -> Error {
        let (target, settings) = (self.target, self.settings);
        let message = format!("{target} has no database \"{}\"", settings.database);
        Error::new(Kind::NoDatabase, message).hint(format!(
            "createdb -h {} -p {} -U {} {}",
            word(&target.host),
            target.port,
            word(&settings.user),
            word(&settings.database)
        ))
    }

    fn where_from(&self) -> String {
        match self.password {
            Some(origin) => format!("the password came from {origin}"),
            None => "give a password in the URL, in PGPASSWORD or in ~/.pgpass".into(),
        }
    }

    /// The server was not reached, or what it said was not understood.
    fn unanswered(&self, cause: &Cause, error: &tokio_postgres::Error) -> Error {
        let inner = error.source().map_or_else(|| error.to_string(), |source| source.to_string());
        match error.to_string().as_str() {
            "invalid configuration" if inner == "password missing" => {
                self.unauthorized("it asks for a password, and none is given", self.where_from())
            }
            "authentication error" => {
                self.unauthorized(&inner, "check the method in pg_hba.conf, and channel_binding")
            }
            "error performing TLS handshake" => self.tls(cause, &inner),
            "connection closed" => self.unreachable("the server closed the connection"),
            "error parsing response from server" | "unexpected message from server" => self.foreign(),
            _ => match (cause.source(), cause.source::<io::Error>()) {
                (Some(rustls::Error::AlertReceived(alert)), _) => self.alerted(*alert),
                (_, Some(error)) => self.io(error),
                _ => self.unreachable(&format!("{error}: {inner}")),
            },
        }
    }

    /// Since TLS 1.3 the server looks at the client's certificate when the handshake is over for the client.
    fn alerted(&self, alert: AlertDescription) -> Error {
        match &self.settings.encryption.client {
            None => self.unreachable(&format!("the server ended TLS: {alert:?}")),
            Some(client) => self.unauthorized(
                &format!("it refuses the certificate {} ({alert:?})", client.certificate.display()),
                "check sslcert, and ssl_ca_file of the server",
            ),
        }
    }

    fn io(&self, error: &io::Error) -> Error {
        let own = error.raw_os_error().is_none();
        match error.kind() {
            ErrorKind::ConnectionRefused => self.unreachable("connection refused"),
            ErrorKind::NotFound if self.target.is_socket() => self.unreachable("there is no such socket"),
            // The library's own: the server is not of the kind that was asked for.
            ErrorKind::PermissionDenied if own => {
                self.unreachable(&error.to_string()).hint("check host, and target_session_attrs")
            }
            ErrorKind::Other | ErrorKind::InvalidInput | ErrorKind::InvalidData if own => self.foreign(),
            ErrorKind::TimedOut => self.unreachable("no answer in time"),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => {
                self.unreachable("the server closed the connection")
            }
            _ => self.unreachable(&error.to_string()),
        }
    }

    fn foreign(&self) -> Error {
        self.unreachable("what answers there does not speak PostgreSQL's protocol")
    }

    fn tls(&self, cause: &Cause, inner: &str) -> Error {
        let (why, hint) = match cause.source::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(error)) => distrust(error),
            Some(error) => (error.to_string(), "check sslmode and the server's ssl settings"),
            None if inner == "server does not support TLS" => {
                (inner.to_owned(), "turn on ssl on the server, or use sslmode=prefer")
            }
            None => (inner.to_owned(), "check sslmode and the server's ssl settings"),
        };
        self.unreachable(&format!("TLS: {why}")).hint(hint)
    }
}

/// What is wrong with the server's certificate, and what helps.
fn distrust(error: &CertificateError) -> (String, &'static str) {
    use CertificateError as E;
    match error {
        E::UnknownIssuer | E::BadSignature => {
            let hint = "give the certificate of that authority in sslrootcert, or sslrootcert=system for public ones";
            ("the server's certificate is signed by an authority that sslrootcert does not hold".into(), hint)
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            let hint = "connect by a name of the certificate; its common name alone does not count";
            (format!("the server's certificate is for another host: {error}"), hint)
        }
        E::Expired | E::ExpiredContext { .. } => {
            (format!("the server's certificate has expired: {error}"), "renew the server's certificate")
        }
        // webpki's word for it, which rustls hands on without a name of its own.
        E::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            let hint = "sign it again with a subjectAltName, or give the certificate itself as sslrootcert";
            ("the server's certificate is of X.509 version 1, which is not checked".into(), hint)
        }
        _ => {
            let hint = "check the server's certificate and sslrootcert";
            (format!("the server's certificate is not accepted: {error}"), hint)
        }
    }
}

fn hint(code: &str) -> &'static str {
    match code {
        "53300" => "close other connections, or raise max_connections",
        "57P03" => "wait until the server has started, then try again",
        "55000" => "alter database ... allow_connections true",
        _ => "the server's log says more",
    }
}

/// A word that a shell takes as it is.
fn word(text: &str) -> String {
    match !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:".contains(c)) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Names may hold line ends, and servers answer with them.
pub fn one_line(error: Error) -> Error {
    let clean = |text: &str| {
        text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let line = Error::new(error.kind(), clean(error.message()));
    match error.get_hint() {
        Some(hint) => line.hint(clean(hint)),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let error = Error::new(Kind::NoDatabase, "no database \"a\nb\"").hint("createdb 'a\nb'");
        let line = one_line(error);
        assert_eq!((line.message(), line.get_hint()), ("no database \"a b\"", Some("createdb 'a b'")));
    }

    #[test]
    fn a_name_in_a_hint_is_quoted_for_the_shell() {
        assert_eq!(
            (word("app_1"), word("it's"), word("")),
            ("app_1".into(), r"'it'\''s'".into(), "''".into())
        );
    }

    #[test]
    fn an_error_of_tls_is_found_below_io() {
        let certificate = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::new(ErrorKind::InvalidData, certificate.clone());
        assert_eq!(find::<rustls::Error>(&error), Some(&certificate));
    }
}
