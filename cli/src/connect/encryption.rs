//! sslmode as libpq means it: which ways are tried in which order, and what of the server's certificate is checked.

use super::client_certificate::ClientCertificate;
use super::parameters::{Parameters, refused};
use std::path::PathBuf;
use strata_core::Error;

/// The six modes, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS when the server does not take anything else.
    Allow,
    /// TLS when the server has it.
    Prefer,
    /// TLS, with whoever answers.
    Require,
    /// TLS with a server whose certificate a known authority has signed.
    VerifyCa,
    /// The same, and the certificate carries the name of the host.
    VerifyFull,
}

const MODES: [(&str, SslMode); 6] = [
    ("prefer", SslMode::Prefer),
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// One way to talk to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the clear.
    Plain,
    /// TLS, in the clear when the server has none.
    Offered,
    /// TLS or nothing.
    Demanded,
}

impl SslMode {
    /// As `sslmode` has it.
    pub fn name(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("prefer", |(name, _)| name)
    }

    /// What is tried, and what when the server or TLS itself refuses that.
    pub fn ways(self) -> (Way, Option<Way>) {
        match self {
            SslMode::Disable => (Way::Plain, None),
            SslMode::Allow => (Way::Plain, Some(Way::Demanded)),
            SslMode::Prefer => (Way::Offered, Some(Way::Plain)),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (Way::Demanded, None),
        }
    }
}

/// What of the server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing: the line is encrypted, the peer unknown.
    Nothing,
    /// That a known authority has signed it.
    Chain,
    /// That, and the name of the host.
    ChainAndName,
}

/// Whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Nobody's: nothing is checked.
    None,
    /// Those of the operating system's store.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// Everything that decides about TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// As asked for, or the default.
    pub mode: SslMode,
    /// Follows from mode and roots.
    pub check: Check,
    /// Where to find the authorities.
    pub roots: Roots,
    /// What is shown to a server that asks for it.
    pub client: Option<ClientCertificate>,
    /// TLS from the first byte, without asking the server first (PostgreSQL 17 and later).
    pub direct: bool,
}

impl Encryption {
    /// Reads sslmode, sslrootcert, sslcert, sslkey and sslnegotiation. `usual` finds a file of `~/.postgresql` that exists:
    /// it counts when none is named.
    pub fn read(given: &Parameters, usual: &dyn Fn(&str) -> Option<PathBuf>) -> Result<Self, Error> {
        let system = given.text("sslrootcert") == Some("system");
        let mode = match given.get("sslmode") {
            None if system => SslMode::VerifyFull,
            _ => given.choice("sslmode", &MODES)?,
        };
        let direct = given.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?;
        refuse_weak(given, mode, direct)?;
        let roots = match given.text("sslrootcert") {
            _ if mode < SslMode::Require => Roots::None,
            Some(_) if system => Roots::System,
            Some(file) => Roots::File(file.into()),
            None => usual("root.crt").map_or(Roots::None, Roots::File),
        };
        let client = match mode {
            SslMode::Disable => None,
            _ => ClientCertificate::read(given, usual)?,
        };
        Ok(Encryption { mode, check: check(mode, &roots)?, roots, client, direct })
    }
}

/// A weaker mode beside these two would silently give up what they ask for.
fn refuse_weak(given: &Parameters, mode: SslMode, direct: bool) -> Result<(), Error> {
    let (name, value) = match given.get("sslrootcert") {
        Some(roots) if roots.text == "system" && mode != SslMode::VerifyFull => ("sslrootcert", roots),
        _ => match given.get("sslnegotiation") {
            Some(negotiation) if direct && mode < SslMode::Require => ("sslnegotiation", negotiation),
            _ => return Ok(()),
        },
    };
    let enough = if direct && name == "sslnegotiation" { "require" } else { "verify-full" };
    let what = format!("{name}={} does not go with sslmode={}", value.text, word(mode));
    Err(refused(value.origin, what).hint(format!("use sslmode={enough}")))
}

/// `require` checks the chain as soon as it knows a root, as with libpq.
fn check(mode: SslMode, roots: &Roots) -> Result<Check, Error> {
    match (mode, roots) {
        (SslMode::VerifyCa | SslMode::VerifyFull, Roots::None) => {
            let what = format!(
                "sslmode={} needs root certificates, and there is no ~/.postgresql/root.crt",
                word(mode)
            );
            Err(refused("sslrootcert", what)
                .hint("give sslrootcert=FILE, or sslrootcert=system for public ones"))
        }
        (_, Roots::None) => Ok(Check::Nothing),
        (SslMode::VerifyFull, _) => Ok(Check::ChainAndName),
        _ => Ok(Check::Chain),
    }
}

fn word(mode: SslMode) -> &'static str {
    MODES.iter().find(|(_, other)| *other == mode).map_or("prefer", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::conninfo;

    fn read(text: &str, usual: Option<&str>) -> Result<Encryption, Error> {
        let given = conninfo::parse(text, "--database").expect("a good list");
        Encryption::read(&given, &|name| usual.filter(|_| name == "root.crt").map(PathBuf::from))
    }

    #[test]
    fn every_mode_has_its_ways_and_its_check() {
        use {Check::*, Way::*};
        let table = [
            ("disable", (Plain, None), Nothing),
            ("allow", (Plain, Some(Demanded)), Nothing),
            ("prefer", (Offered, Some(Plain)), Nothing),
            ("require", (Demanded, None), Chain),
            ("verify-ca", (Demanded, None), Chain),
            ("verify-full", (Demanded, None), ChainAndName),
        ];
        for (word, ways, check) in table {
            let read = read(&format!("sslmode={word} sslrootcert=/ca"), None).expect("read");
            assert_eq!((read.mode.ways(), read.check), (ways, check), "{word}");
        }
    }

    #[test]
    fn prefer_is_the_default_and_require_without_roots_checks_nothing() {
        assert_eq!(read("host=h", None).expect("read").mode, SslMode::Prefer);
        assert_eq!(read("sslmode=require", None).expect("read").check, Check::Nothing);
        assert_eq!(read("sslmode=require", Some("/usual")).expect("read").check, Check::Chain);
        assert_eq!(read("sslmode=prefer", Some("/usual")).expect("read").roots, Roots::None);
    }

    #[test]
    fn the_system_roots_ask_for_verify_full() {
        let all = read("sslrootcert=system", None).expect("read");
        assert_eq!(
            (all.mode, all.check, all.roots),
            (SslMode::VerifyFull, Check::ChainAndName, Roots::System)
        );
        let error = read("sslrootcert=system sslmode=require", None).expect_err("weak");
        assert_eq!(error.message(), "--database: sslrootcert=system does not go with sslmode=require");
    }

    #[test]
    fn direct_negotiation_asks_for_require() {
        assert!(read("sslnegotiation=direct sslmode=require", None).expect("read").direct);
        let error = read("sslnegotiation=direct", None).expect_err("weak");
        assert_eq!(error.get_hint(), Some("use sslmode=require"));
    }

    #[test]
    fn a_check_without_roots_is_refused() {
        let error = read("sslmode=verify-full", None).expect_err("refused");
        assert!(error.message().contains("sslmode=verify-full needs root certificates"), "{error}");
        assert_eq!(
            read("sslmode=verify-ca", Some("/usual")).expect("read").roots,
            Roots::File("/usual".into())
        );
    }

    #[test]
    fn an_unknown_mode_is_named() {
        let error = read("sslmode=full", None).expect_err("refused");
        assert!(
            error.message().starts_with("--database: sslmode \"full\" is not one of prefer, disable"),
            "{error}"
        );
    }
}
