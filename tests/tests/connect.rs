//! Connecting, as the operator sees it: exit code and one line on stderr, a password in no output.
//!
//! Nothing here is shared with the other tests on purpose: this file decides what the environment holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "connect/tls.rs"]
mod tls;

/// The password of every role of these tests, and a wrong one. Neither may be seen in any output.
const SECRET: &str = "right-kept-secret";
const WRONG: &str = "wrong-kept-secret";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run cargo xtask test"))
}

/// The running cluster: its place and its superuser.
struct Cluster {
    user: String,
    password: String,
    place: String,
}

fn cluster() -> Cluster {
    let url = variable("STRATA_TEST_URL");
    let (login, place) =
        url.strip_prefix("postgres://").and_then(|rest| rest.split_once('@')).expect("a URL");
    let (user, password) = login.split_once(':').expect("user and password");
    let place = place.split(['/', '?']).next().expect("host and port");
    Cluster { user: user.into(), password: password.into(), place: place.into() }
}

/// A folder of one test, taken away with it; also the home in which the command line runs.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("strata-connect-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("owned");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run of the command line left behind.
struct Run {
    code: i32,
    stderr: String,
    what: String,
}

impl Run {
    /// Exit code and a word of the one line on stderr.
    fn must(&self, code: i32, said: &str) {
        let Run { stderr, what, .. } = self;
        assert_eq!(self.code, code, "{what}: {stderr}");
        assert!(stderr.contains(said), "{what}: no \"{said}\" in {stderr}");
        let errors = stderr.lines().filter(|line| !line.starts_with("warning: ")).count();
        assert_eq!(errors, usize::from(code != 0), "{what}: {stderr}");
    }
}

/// `strata version` at home in a folder, with these variables and no others of PostgreSQL's.
fn version(url: Option<&str>, home: &Path, variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(variable("STRATA_TEST_BIN"));
    command.env_clear().env("HOME", home).current_dir(home).args(["--pack", "absent"]);
    command.args(url.iter().flat_map(|url| ["--database", url])).arg("version");
    command.envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the command line runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr).into_owned());
    let secrets = [SECRET.to_owned(), WRONG.to_owned(), cluster().password];
    for secret in secrets {
        assert!(
            !stdout.contains(&secret) && !stderr.contains(&secret),
            "a password is shown: {stdout}{stderr}"
        );
    }
    Run { code: status.code().unwrap_or(-1), stderr, what: format!("{url:?} {variables:?}") }
}

#[test]
fn the_flag_database_url_and_the_variables_all_lead_to_the_server() {
    let (home, Cluster { user, password, place }) = (Folder::new("ways"), cluster());
    let (host, port) = place.rsplit_once(':').expect("host and port");
    let url = format!("postgres://{user}:{password}@{place}/postgres");
    version(Some(&url), &home.0, &[("DATABASE_URL", "postgres://nowhere.invalid")]).must(0, "");
    version(None, &home.0, &[("DATABASE_URL", &url), ("PGHOST", "nowhere.invalid")]).must(0, "");
    let variables = [
        ("PGHOST", host),
        ("PGPORT", port),
        ("PGUSER", &user),
        ("PGPASSWORD", &password),
        ("PGDATABASE", "postgres"),
        ("PGOPTIONS", "-c lock_timeout=1s"),
        ("PGAPPNAME", "a test"),
    ];
    version(None, &home.0, &variables).must(0, "");
    version(Some(&format!("host={host} dbname=postgres")), &home.0, &variables).must(0, "");
    version(Some(&format!("postgres://127.0.0.1:1,{place}/postgres")), &home.0, &variables).must(0, "");
}

#[test]
fn a_wrong_password_is_20_and_says_where_it_came_from() {
    let (home, Cluster { user, place, .. }) = (Folder::new("wrong"), cluster());
    let url = format!("postgres://{user}:{WRONG}@{place}/postgres");
    let run = version(Some(&url), &home.0, &[]);
    run.must(20, &format!("\"{user}\""));
    run.must(20, "the password came from --database");
    let url = format!("postgres://{user}@{place}/postgres");
    version(Some(&url), &home.0, &[("PGPASSWORD", WRONG)]).must(20, "the password came from PGPASSWORD");
    version(Some(&url), &home.0, &[]).must(20, "give a password in the URL, in PGPASSWORD or in ~/.pgpass");
}

#[test]
fn the_password_file_counts_unless_others_may_read_it() {
    let (home, Cluster { user, password, place }) = (Folder::new("passfile"), cluster());
    let url = format!("postgres://{user}@{place}/postgres");
    let line = format!("{place}:postgres:{user}:{password}\n");
    home.file(".pgpass", &line, 0o600);
    version(Some(&url), &home.0, &[]).must(0, "");
    home.file(".pgpass", &line, 0o644);
    version(Some(&url), &home.0, &[]).must(20, "warning: password file");
    let other = home.file("other", &format!("*:*:*:*:{WRONG}\n"), 0o600).display().to_string();
    version(Some(&url), &home.0, &[("PGPASSFILE", &other)])
        .must(20, &format!("the password came from {other}"));
}

#[test]
fn a_missing_database_is_19_with_the_command_that_makes_it() {
    let (home, Cluster { user, password, place }) = (Folder::new("missing"), cluster());
    let run = version(Some(&format!("postgres://{user}:{password}@{place}/not%20there")), &home.0, &[]);
    run.must(19, "\"not there\"");
    run.must(19, &format!("-U {user} 'not there'"));
}

#[test]
fn a_server_that_cannot_be_reached_is_10_and_named() {
    let home = Folder::new("unreached");
    let at = |place: &str| version(Some(&format!("postgres://u:{SECRET}@{place}")), &home.0, &[]);
    at("127.0.0.1:1/d").must(10, "cannot connect to 127.0.0.1:1: connection refused");
    at("[::1]:1/d?connect_timeout=2").must(10, "cannot connect to [::1]:1");
    at("nowhere.invalid/d").must(10, "host \"nowhere.invalid\" has no address");
    at("%2Fnowhere/d").must(10, "cannot connect to /nowhere:5432: there is no such socket");
    let Cluster { place, .. } = cluster();
    at(&format!("{place}/d?sslmode=require")).must(10, "server does not support TLS");
}

#[test]
fn a_url_that_cannot_be_read_is_2_and_shows_no_part_of_the_password() {
    let home = Folder::new("malformed");
    for (url, said) in [
        (format!("postgres://u:a@{SECRET}@h/d"), "percent-encode"),
        (format!("postgres://u:a/{SECRET}@h/d"), "percent-encode"),
        (format!("postgres://u:{SECRET}/d"), "the port of host \"u\""),
        (format!("postgres://u:{SECRET}@h:port/d"), "the port of host \"h\""),
        (format!("postgres://u:%{SECRET}@h/d"), "the password holds a %"),
        (format!("mysql://u:{SECRET}@h/d"), "\"mysql\""),
        (format!("u:{SECRET}@h/d"), "neither"),
        (format!("host=h password=a {SECRET}"), "a word is not key=value"),
        (format!("postgres://u:{SECRET}@h/d?pgbouncer=true"), "unknown parameter \"pgbouncer\""),
        (format!("postgres://u:{SECRET}@h/d?sslmode=full"), "sslmode \"full\""),
        (format!("postgres://u:{SECRET}@h/d?sslmode=verify-full"), "needs root certificates"),
    ] {
        version(Some(&url), &home.0, &[]).must(2, said);
        version(None, &home.0, &[("DATABASE_URL", &url)]).must(2, said);
    }
}
