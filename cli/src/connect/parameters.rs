//! Connection parameters by libpq's names: which there are, where each value came from, and their two spellings.

use std::collections::BTreeMap;
use strata_core::{Error, Kind};

/// Every parameter that is understood, and the variable that fills it in when nothing else does. PGHOSTADDR is
/// left out on purpose: with libpq it silently redirects a URL that names another host.
const KNOWN: [(&str, Option<&str>); 31] = [
    ("host", Some("PGHOST")),
    ("hostaddr", None),
    ("port", Some("PGPORT")),
    ("user", Some("PGUSER")),
    ("password", Some("PGPASSWORD")),
    ("dbname", Some("PGDATABASE")),
    ("options", Some("PGOPTIONS")),
    ("application_name", Some("PGAPPNAME")),
    ("fallback_application_name", None),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("passfile", Some("PGPASSFILE")),
    ("sslmode", Some("PGSSLMODE")),
    ("sslrootcert", Some("PGSSLROOTCERT")),
    ("sslcert", Some("PGSSLCERT")),
    ("sslkey", Some("PGSSLKEY")),
    ("sslnegotiation", Some("PGSSLNEGOTIATION")),
    ("channel_binding", Some("PGCHANNELBINDING")),
    ("gssencmode", Some("PGGSSENCMODE")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS")),
    ("tcp_user_timeout", None),
    ("keepalives", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("keepalives_count", None),
    // What Go's drivers take for a setting of the session; with libpq it stands in the options.
    ("search_path", None),
    // golang-migrate's own. Its table is what `--adopt` names; the others have no meaning here.
    (MIGRATIONS_TABLE, None),
    (MIGRATIONS_TABLE_QUOTED, None),
    ("x-multi-statement", None),
    ("x-multi-statement-max-size", None),
    ("x-statement-timeout", None),
];

const MIGRATIONS_TABLE: &str = "x-migrations-table";
const MIGRATIONS_TABLE_QUOTED: &str = "x-migrations-table-quoted";

/// The name as a constant, when the parameter is understood.
pub fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// A value that cannot be used. `origin` is where the operator finds it: `--database`, `DATABASE_URL`, `PGPORT`.
pub fn refused(origin: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::BadArgument, format!("{origin}: {what}"))
}

/// A value and where the operator finds it.
#[derive(Clone)]
pub struct Value {
    /// Never empty.
    pub text: String,
    /// `--database`, `DATABASE_URL` or the name of a variable.
    pub origin: &'static str,
}

/// Values by name. An empty value counts as none, as with libpq.
pub struct Parameters {
    values: BTreeMap<&'static str, Value>,
    origin: &'static str,
    previous: Option<&'static str>,
}

impl Parameters {
    /// None yet; the ones to come are found in `origin`.
    pub fn new(origin: &'static str) -> Self {
        Parameters { values: BTreeMap::new(), origin, previous: None }
    }

    /// An error about the text that is being read.
    pub fn refused(&self, what: impl std::fmt::Display) -> Error {
        refused(self.origin, what)
    }

    /// Takes a value; the last one of a name counts.
    pub fn set(&mut self, name: &'static str, text: String) -> Result<(), Error> {
        if text.contains('\0') {
            return Err(self.refused(format!("{name} holds a zero byte")));
        }
        self.previous = Some(name);
        match text.is_empty() {
            true => self.values.remove(name),
            false => self.values.insert(name, Value { text, origin: self.origin }),
        };
        Ok(())
    }

    /// Takes a value whose name came from outside. A name behind a password is not repeated: where the password was
    /// not quoted, it is a part of it.
    pub fn set_named(&mut self, name: &str, text: String) -> Result<(), Error> {
        match known(name) {
            Some(name) => self.set(name, text),
            None if self.previous == Some("password") => Err(self
                .refused("what follows the password is no parameter")
                .hint("quote the password: password='...' in key=value, %26 for & in a URL")),
            None => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> Error {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        match !name.is_empty() && name.chars().all(plain) {
            true => self.refused(format!("unknown parameter \"{name}\"")),
            false => self.refused("a parameter has a name that cannot be one"),
        }
        .hint("check its spelling, or take it out; parameters of other drivers and of poolers do not count here")
    }

    /// Fills what is missing from the environment.
    pub fn fill(&mut self, var: &dyn Fn(&str) -> Option<String>) {
        for (name, variable) in KNOWN {
            let Some(origin) = variable else { continue };
            if let Some(text) = var(origin).filter(|text| !text.is_empty()) {
                self.values.entry(name).or_insert(Value { text, origin });
            }
        }
    }

    /// The value with its origin.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The value alone.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|value| value.text.as_str())
    }

    /// golang-migrate's table, as SQL names it.
    pub fn migrations_table(&self) -> Option<String> {
        let table = self.text(MIGRATIONS_TABLE)?;
        let quoted =
            matches!(self.text(MIGRATIONS_TABLE_QUOTED), Some("1" | "t" | "T" | "true" | "TRUE" | "True"));
        Some(if quoted { table.to_owned() } else { format!("\"{}\"", table.replace('"', "\"\"")) })
    }

    /// The value as a whole number, for the parameters that count or last.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(Value { text, origin }) = self.get(name) else { return Ok(None) };
        let number = text
            .trim()
            .parse()
            .map_err(|_| refused(origin, format!("{name} \"{text}\" is no whole number")))?;
        Ok(Some(number))
    }

    /// The value as one of a few words; without one, the first of them.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Error> {
        let Some(Value { text, origin }) = self.get(name) else { return Ok(choices[0].1) };
        let found = choices.iter().find(|(word, _)| word == text);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            refused(origin, format!("{name} \"{text}\" is not one of {}", words.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::conninfo;

    fn message(text: &str) -> String {
        let error = conninfo::parse(text, "--database").err().expect("refused");
        assert_eq!(error.kind(), Kind::BadArgument);
        error.message().to_owned()
    }

    #[test]
    fn an_unknown_parameter_is_named_in_both_spellings() {
        for text in ["postgres://h/d?pgbouncer=true", "host=h pgbouncer=true"] {
            assert_eq!(message(text), "--database: unknown parameter \"pgbouncer\"");
        }
    }

    #[test]
    fn what_follows_a_password_is_not_repeated() {
        for text in ["host=h password=a secret=b", "postgres://h/d?password=a&secret=b"] {
            assert_eq!(message(text), "--database: what follows the password is no parameter");
        }
    }

    #[test]
    fn a_text_of_neither_kind_is_not_repeated() {
        for text in ["", "secret", "u:secret@host", "host:5432/secret"] {
            assert_eq!(message(text), "--database: neither a postgres:// URL nor a list of key=value");
        }
    }

    #[test]
    fn a_word_must_be_one_of_the_choices() {
        let parameters = conninfo::parse("channel_binding=maybe", "--database").expect("read");
        let error =
            parameters.choice("channel_binding", &[("prefer", 1), ("require", 2)]).expect_err("refused");
        assert_eq!(error.message(), "--database: channel_binding \"maybe\" is not one of prefer, require");
    }

    #[test]
    fn golang_migrates_table_is_named_as_in_sql() {
        let named = |query: &str| {
            let url = format!("postgres://h/d?{query}");
            conninfo::parse(&url, "--database").expect("read").migrations_table()
        };
        assert_eq!(named("x-migrations-table=Moved&x-statement-timeout=5"), Some("\"Moved\"".to_owned()));
        let quoted = named("x-migrations-table=%22a%22.%22b%22&x-migrations-table-quoted=1");
        assert_eq!(quoted, Some("\"a\".\"b\"".to_owned()));
        assert_eq!(named("sslmode=disable"), None);
    }

    #[test]
    fn the_environment_fills_only_what_is_missing() {
        let mut parameters = conninfo::parse("host=a", "--database").expect("read");
        parameters.fill(&|name| Some(if name == "PGUSER" { String::new() } else { name.to_lowercase() }));
        assert_eq!((parameters.text("host"), parameters.text("port")), (Some("a"), Some("pgport")));
        assert_eq!(parameters.text("user"), None, "an empty variable counts as none");
    }
}
