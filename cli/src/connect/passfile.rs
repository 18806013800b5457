//! `~/.pgpass`: one line per server, `host:port:database:user:password`, `*` for any, `\` before `:` and `\`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a password is looked up by.
pub struct Wanted<'a> {
    /// Name, address, or folder of the socket.
    pub host: &'a str,
    /// TCP port, also part of the name of a socket.
    pub port: u16,
    /// Name of the database.
    pub database: &'a str,
    /// Name of the role.
    pub user: &'a str,
}

/// The text of a file that only its owner can read. Err is a warning for the operator; a file that is not there
/// is an empty one.
pub fn load(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(format!("password file {shown} is ignored: {error}")),
    };
    if !about.is_file() {
        return Err(format!("password file {shown} is ignored: it is not a plain file"));
    }
    if about.permissions().mode() & 0o077 != 0 {
        return Err(format!(
            "password file {shown} is ignored: others may read it; run \"chmod 0600 {shown}\""
        ));
    }
    fs::read_to_string(path).map_err(|error| format!("password file {shown} is ignored: {error}"))
}

/// The password of the first line that fits.
pub fn find(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let [host, port, database, user, password] = fields(line)?;
        // A socket goes by the name localhost, whichever of the two usual folders it is in.
        let local = matches!(wanted.host, "/var/run/postgresql" | "/tmp") && host.text == "localhost";
        let fits = (local || host.fits(wanted.host))
            && port.fits(&wanted.port.to_string())
            && database.fits(wanted.database)
            && user.fits(wanted.user);
        (fits && !password.text.is_empty()).then_some(password.text)
    })
}

/// A field without its backslashes.
#[derive(Default)]
struct Field {
    text: String,
    any: bool,
}

impl Field {
    fn new(raw: &str) -> Self {
        let mut text = String::new();
        let mut rest = raw.chars();
        while let Some(c) = rest.next() {
            text.push(if c == '\\' { rest.next().unwrap_or(c) } else { c });
        }
        Field { text, any: raw == "*" }
    }

    fn fits(&self, value: &str) -> bool {
        self.any || self.text == value
    }
}

/// The five fields of a line, None when it has fewer. The last one takes every further `:` and keeps its spaces.
fn fields(line: &str) -> Option<[Field; 5]> {
    let mut fields: [Field; 5] = Default::default();
    let mut rest = line.trim_end_matches('\r');
    for field in &mut fields[..4] {
        let end = unescaped_colon(rest)?;
        *field = Field::new(&rest[..end]);
        rest = &rest[end + 1..];
    }
    fields[4] = Field::new(&rest[..unescaped_colon(rest).unwrap_or(rest.len())]);
    Some(fields)
}

fn unescaped_colon(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == b':' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Option<String> {
        find(text, &Wanted { host: "db.example", port: 5432, database: "app", user: "ann" })
    }

    #[test]
    fn the_first_line_that_fits_wins() {
        let text = "# a comment\nother:*:*:*:no\ndb.example:5432:app:ann:first\n*:*:*:*:second\n";
        assert_eq!(password(text).as_deref(), Some("first"));
        assert_eq!(password("*:*:*:*:any").as_deref(), Some("any"));
    }

    #[test]
    fn every_field_has_to_fit() {
        for line in
            ["h:5432:app:ann:x", "*:5433:app:ann:x", "*:*:d:ann:x", "*:*:*:bob:x", "*:*:*:ann", "", "x"]
        {
            assert_eq!(password(line), None, "{line}");
        }
    }

    #[test]
    fn a_backslash_takes_the_meaning_of_a_colon_and_a_backslash() {
        assert_eq!(password(r"*:*:*:ann:a\:b\\c").as_deref(), Some(r"a:b\c"));
        let wanted = Wanted { host: "::1", port: 1, database: "a:b", user: "*" };
        assert_eq!(find(r"\:\:1:1:a\:b:\*:x", &wanted).as_deref(), Some("x"));
        assert_eq!(password(r"\*:*:*:*:x"), None, "an escaped star is a star");
    }

    #[test]
    fn a_password_keeps_its_spaces_and_loses_the_carriage_return() {
        assert_eq!(password("*:*:*:*: a b \r\n").as_deref(), Some(" a b "));
    }

    #[test]
    fn a_socket_goes_by_localhost_and_by_its_folder() {
        let socket = Wanted { host: "/tmp", port: 5432, database: "d", user: "u" };
        assert_eq!(find("localhost:*:*:*:x", &socket).as_deref(), Some("x"));
        assert_eq!(find("/tmp:*:*:*:x", &socket).as_deref(), Some("x"));
    }

    #[test]
    fn a_file_that_others_may_read_is_ignored_with_a_warning() {
        let path = std::env::temp_dir().join(format!("strata-passfile-{}", std::process::id()));
        fs::write(&path, "*:*:*:*:secret\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("opened to the group");
        let warning = load(&path).expect_err("ignored");
        assert!(warning.contains("chmod 0600") && !warning.contains("secret"), "{warning}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("closed");
        assert_eq!(load(&path).as_deref(), Ok("*:*:*:*:secret\n"));
        fs::remove_file(&path).expect("removed");
        assert_eq!(load(&path).as_deref(), Ok(""), "no file is no warning");
    }
}
