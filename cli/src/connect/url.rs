//! `postgres://user:password@host:port,host:port/database?name=value`, as libpq reads it, but stricter where a
//! password that is not percent-encoded would end up in the host or the database and so in a message.

use super::parameters::{Parameters, known};
use strata_core::Error;

/// Reads a URL whose scheme ends at byte `at`.
pub fn read(text: &str, at: usize, into: &mut Parameters) -> Result<(), Error> {
    let (scheme, rest) = (&text[..at], &text[at + 3..]);
    if scheme != "postgres" && scheme != "postgresql" {
        let name = scheme.strip_prefix("jdbc:").unwrap_or(scheme);
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let shown = if plain { format!("the scheme \"{scheme}\"") } else { "what stands before ://".into() };
        return Err(into.refused(format!("{shown} is not postgres or postgresql")));
    }
    let (user, rest) = split_user(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if place.contains('@') || user.is_some_and(swallowed_query) || (user.is_none() && hides_user(query)) {
        let hint = "percent-encode user and password: %40 for @, %2F for /, %3F for ?, %3A for :";
        return Err(into.refused("the @ of the URL stands where none may stand").hint(hint));
    }
    read_user(user, into)?;
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    read_hosts(hosts, into)?;
    let database = decode(database, "the database", into)?;
    into.set("dbname", database)?;
    query.split('&').filter(|pair| !pair.is_empty()).try_for_each(|pair| read_pair(pair, into))
}

/// The part before the first `@`, when no `/` comes before it.
fn split_user(rest: &str) -> (Option<&str>, &str) {
    match rest.find(['@', '/']) {
        Some(at) if rest.as_bytes()[at] == b'@' => (Some(&rest[..at]), &rest[at + 1..]),
        _ => (None, rest),
    }
}

/// `host?password=a@b`: the `@` belongs to a value of the query.
fn swallowed_query(user: &str) -> bool {
    user.split_once('?').is_some_and(|(_, query)| query.split('&').any(names_parameter))
}

/// `user:pa/ss?wo@host`: the `@` ends a password that is not percent-encoded.
fn hides_user(query: &str) -> bool {
    query.split('&').any(|pair| pair.contains('@') && !names_parameter(pair))
}

fn names_parameter(pair: &str) -> bool {
    pair.split_once('=').is_some_and(|(name, _)| known(name).is_some())
}

fn read_user(user: Option<&str>, into: &mut Parameters) -> Result<(), Error> {
    let Some(user) = user else { return Ok(()) };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let (name, password) = (decode(name, "the user", into)?, decode(password, "the password", into)?);
    into.set("user", name)?;
    into.set("password", password)
}

/// Splits `a:1,[::1]:2` into the lists of hosts and ports. A port that is no number is not repeated: in
/// `postgres://user:password/db` it is the password.
fn read_hosts(text: &str, into: &mut Parameters) -> Result<(), Error> {
    if text.is_empty() {
        return Ok(());
    }
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in text.split(',') {
        let (host, port) = split_port(place).ok_or_else(|| into.refused("a host in [ ] is not closed"))?;
        let (host, port) = (decode(host, "the host", into)?, decode(port, "the port", into)?);
        if !port.is_empty() && !port.parse::<u16>().is_ok_and(|port| port > 0) {
            let what = format!("the port of host \"{host}\" is not a number from 1 to 65535");
            return Err(into.refused(what).hint("write postgres://user:password@host:5432/database"));
        }
        hosts.push(host);
        ports.push(port);
    }
    into.set("host", hosts.join(","))?;
    match ports.iter().all(String::is_empty) {
        true => Ok(()),
        false => into.set("port", ports.join(",")),
    }
}

/// Host and port, the port empty where none is given.
fn split_port(place: &str) -> Option<(&str, &str)> {
    let Some(bracketed) = place.strip_prefix('[') else {
        return Some(place.split_once(':').unwrap_or((place, "")));
    };
    let (host, rest) = bracketed.split_once(']')?;
    match rest {
        "" => Some((host, "")),
        _ => Some((host, rest.strip_prefix(':')?)),
    }
}

fn read_pair(pair: &str, into: &mut Parameters) -> Result<(), Error> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(into.refused("a parameter after ? has no =").hint("write %26 for & inside a value"));
    };
    let name = decode(name, "the name of a parameter", into)?;
    let shown = known(&name).unwrap_or("a parameter");
    let value = decode(value, shown, into)?;
    // The spelling of other drivers, which libpq takes too.
    if (name.as_str(), value.as_str()) == ("ssl", "true") {
        return into.set("sslmode", "require".into());
    }
    into.set_named(&name, value)
}

/// Replaces %XX. A `+` stays a `+`.
fn decode(text: &str, what: &str, into: &Parameters) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let hex = tail.get(..2).and_then(hex);
                let hint = "write %25 for a % that is meant";
                bytes.push(hex.ok_or_else(|| {
                    into.refused(format!("{what} holds a % without two digits")).hint(hint)
                })?);
                rest = &tail[2..];
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8(bytes).map_err(|_| into.refused(format!("{what} is not UTF-8")))
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(digits[at]).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use crate::connect::conninfo;
    use strata_core::Kind;

    fn values(text: &str) -> Vec<String> {
        let parameters = conninfo::parse(text, "--database").expect("a good URL");
        ["user", "password", "host", "port", "dbname"]
            .map(|n| parameters.text(n).unwrap_or("-").to_owned())
            .into()
    }

    #[test]
    fn reads_every_part() {
        assert_eq!(values("postgres://u:p@h:1/d"), ["u", "p", "h", "1", "d"]);
        assert_eq!(values("postgresql://"), ["-"; 5]);
        assert_eq!(values("postgres:///d"), ["-", "-", "-", "-", "d"]);
        assert_eq!(values("postgres://h?dbname=d&user=u%40t"), ["u@t", "-", "h", "-", "d"]);
        assert_eq!(values("postgres://h/d?user=u@t"), ["u@t", "-", "h", "-", "d"]);
        assert_eq!(values("postgres://u:a:b?c@h/d"), ["u", "a:b?c", "h", "-", "d"]);
    }

    #[test]
    fn reads_many_hosts_addresses_and_sockets() {
        assert_eq!(values("postgres://a,b:2/d"), ["-", "-", "a,b", ",2", "d"]);
        assert_eq!(values("postgres://[::1]:5,[fe80::1]"), ["-", "-", "::1,fe80::1", "5,", "-"]);
        assert_eq!(values("postgres://%2Fvar%2Frun/d"), ["-", "-", "/var/run", "-", "d"]);
        assert_eq!(values("postgres:///d?host=/tmp&port=7"), ["-", "-", "/tmp", "7", "d"]);
    }

    #[test]
    fn percent_encoding_stands_for_every_byte() {
        assert_eq!(values("postgres://%C3%BC:%40%2F%25+@h")[..2], ["ü", "@/%+"]);
    }

    #[test]
    fn ssl_true_is_sslmode_require() {
        let parameters = conninfo::parse("postgres://h?ssl=true", "--database").expect("read");
        assert_eq!(parameters.text("sslmode"), Some("require"));
    }

    #[test]
    fn no_part_of_a_password_is_repeated_when_the_url_is_malformed() {
        for url in [
            "postgres://u:sec@ret@h/d",
            "postgres://u:sec/ret@h/d",
            "postgres://u:secret/d",
            "postgres://u:1/secret@h/d",
            "postgres://u:1/se?c=ret@h/d",
            "postgres://u:1/se?secret@h/d?sslmode=x",
            "postgres://u:%zzsecret@h/d",
            "postgres://u:secret%@h/d",
            "postgres://u:%ffsecret@h/d",
            "postgres://u:secret@h:secret/d",
            "postgres://u:secret@[h/d",
            "postgres://u:secret@h/d?secret",
            "postgres://h?password=secret@x",
            "postgres://h:1?password=sec@ret",
            "postgres://h/d?password=a&secret=1",
            "postgres://u:secret@h/%00",
            "postgre://u:secret@h/d",
            "u:secret@postgres://h/d",
            "postgres:/u:secret@h/d",
        ] {
            let error = conninfo::parse(url, "DATABASE_URL").err().unwrap_or_else(|| panic!("{url}"));
            let all = format!("{error:?}");
            assert!(!all.contains("sec") && !all.contains("ret@"), "{url}: {all}");
            assert_eq!(error.kind(), Kind::BadArgument);
            assert!(error.message().starts_with("DATABASE_URL: ") && !error.message().contains('\n'));
        }
    }

    #[test]
    fn another_scheme_is_named() {
        let error = conninfo::parse("mysql://u:p@h/d", "--database").err().expect("refused");
        assert_eq!(error.message(), "--database: the scheme \"mysql\" is not postgres or postgresql");
    }
}
