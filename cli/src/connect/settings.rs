//! From what was given and what surrounds the process to settings that can be connected with. Pure: the
//! environment comes in as closures.

use super::conninfo;
use super::encryption::{Encryption, Roots};
use super::parameters::{Parameters, refused};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strata_core::Error;
use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

/// Where servers put their sockets: Debian's folder, then PostgreSQL's own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Longest wait for one address when nothing says otherwise. Unit: seconds. libpq waits for ever; a command line
/// in a pipeline must not. Chosen, not measured.
const CONNECT_TIMEOUT: i64 = 10;

/// What surrounds the process.
pub struct Surroundings<'a> {
    /// A variable of the environment.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// The user that the process runs as.
    pub os_user: &'a dyn Fn() -> Option<String>,
    /// Whether there is something at a path.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

/// A password and where the operator finds it. Shows itself as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    /// The secret.
    pub secret: String,
    /// `--database`, a variable or the path of a file.
    pub origin: String,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** from {}", self.origin)
    }
}

/// One server that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name, address, or folder of the socket, which starts with a slash.
    pub host: String,
    /// Where to connect to instead of asking for the address of the host.
    pub address: Option<IpAddr>,
    /// TCP port, also part of the name of a socket.
    pub port: u16,
}

impl Target {
    /// Whether it is a socket in the file system.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The file that passwords are looked up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passfile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was asked for by name; the usual one may be missing.
    pub named: bool,
}

/// What TCP does while nothing is said. None stands for the operating system's own value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether it is on.
    pub on: bool,
    /// Silence before the first probe.
    pub idle: Option<Duration>,
    /// Pause between probes.
    pub interval: Option<Duration>,
    /// Probes before the line counts as dead.
    pub count: Option<u32>,
    /// Longest time that sent data may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

/// Everything that is needed to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In the order in which they are tried; never empty.
    pub targets: Vec<Target>,
    /// Whether that order is shuffled first.
    pub shuffle: bool,
    /// Name of the role.
    pub user: String,
    /// Name of the database.
    pub database: String,
    /// Given outright; counts before the file.
    pub password: Option<Password>,
    /// Looked up when there is no password.
    pub passfile: Option<Passfile>,
    /// Options of the server process.
    pub options: Option<String>,
    /// What pg_stat_activity shows.
    pub application_name: String,
    /// TLS.
    pub encryption: Encryption,
    /// Longest wait for one address, None for ever.
    pub timeout: Option<Duration>,
    /// Whether the password is bound to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// Which kind of server is meant.
    pub session: TargetSessionAttrs,
    /// TCP.
    pub keepalive: Keepalive,
}

impl Settings {
    /// `url` (the flag) counts before the variables that hold a URL, these before the PG* variables, which fill what is
    /// left out.
    pub fn read(url: Option<&str>, around: &Surroundings<'_>) -> Result<Self, Error> {
        let mut given = match given(url, around.var)? {
            Some(given) => given,
            None => from_variables(around)?,
        };
        given.fill(around.var);
        refuse_gss(&given)?;
        let user = user(&given, around)?;
        let home = (around.var)("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let in_home = |name: &str| home.as_ref().map(|home| home.join(".postgresql").join(name));
        let usual = |name: &str| in_home(name).filter(|path| (around.exists)(path));
        let encryption = Encryption::read(&given, &usual)?;
        Ok(Settings {
            targets: targets(&given, around.exists)?,
            shuffle: given.choice("load_balance_hosts", &[("disable", false), ("random", true)])?,
            database: given.text("dbname").unwrap_or(&user).to_owned(),
            password: password(&given),
            passfile: passfile(&given, home),
            options: options(&given),
            application_name: application_name(&given),
            encryption,
            timeout: timeout(&given)?,
            channel_binding: channel_binding(&given)?,
            session: session(&given)?,
            keepalive: keepalive(&given)?,
            user,
        })
    }
}

impl Settings {
    /// What libpq has to be told to connect to one of the targets in the same way. A password file is found by both.
    pub fn environment(&self, target: &Target) -> Vec<(&'static str, String)> {
        let mut told = vec![
            ("PGHOST", target.host.clone()),
            ("PGPORT", target.port.to_string()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
            ("PGSSLMODE", self.encryption.mode.name().to_owned()),
        ];
        told.extend(target.address.map(|address| ("PGHOSTADDR", address.to_string())));
        told.extend(self.password.as_ref().map(|password| ("PGPASSWORD", password.secret.clone())));
        let roots = match &self.encryption.roots {
            Roots::File(path) => Some(path.display().to_string()),
            Roots::System => Some("system".to_owned()),
            Roots::None => None,
        };
        told.extend(roots.map(|roots| ("PGSSLROOTCERT", roots)));
        if let Some(client) = &self.encryption.client {
            told.push(("PGSSLCERT", client.certificate.display().to_string()));
            told.push(("PGSSLKEY", client.key.display().to_string()));
        }
        told
    }
}

/// Variables that hold a URL; the first that is set counts.
const URLS: [&str; 3] = ["DATABASE_URL", "SUPABASE_DB_URL", "POSTGRES_URL"];

/// What the flag or a variable says in one piece.
pub fn given(url: Option<&str>, var: &dyn Fn(&str) -> Option<String>) -> Result<Option<Parameters>, Error> {
    let set = |name: &&'static str| Some((*name, var(name).filter(|text| !text.is_empty())?));
    match (url, URLS.iter().find_map(set)) {
        (Some(url), _) => conninfo::parse(url, "--database").map(Some),
        (None, Some((name, url))) => conninfo::parse(&url, name).map(Some),
        (None, None) => Ok(None),
    }
}

/// A service names a server in a file that is not read here: going elsewhere instead would be worse than stopping.
fn from_variables(around: &Surroundings<'_>) -> Result<Parameters, Error> {
    match (around.var)("PGSERVICE").filter(|name| !name.is_empty()) {
        None => Ok(Parameters::new("PGHOST")),
        Some(name) => Err(refused("PGSERVICE", format!("service \"{name}\" is not looked up"))
            .hint("set PGHOST, PGUSER, ... or give --database")),
    }
}

fn refuse_gss(given: &Parameters) -> Result<(), Error> {
    given.choice("gssencmode", &[("prefer", ()), ("disable", ())])
}

fn user(given: &Parameters, around: &Surroundings<'_>) -> Result<String, Error> {
    let unknown = || refused("PGUSER", "no user is given, and the process runs as a user without a name");
    given.text("user").map(str::to_owned).or_else(around.os_user).ok_or_else(unknown)
}

fn application_name(given: &Parameters) -> String {
    let name = given.text("application_name").or(given.text("fallback_application_name"));
    name.unwrap_or("strata").to_owned()
}

fn password(given: &Parameters) -> Option<Password> {
    let value = given.get("password")?;
    Some(Password { secret: value.text.clone(), origin: value.origin.to_owned() })
}

fn passfile(given: &Parameters, home: Option<PathBuf>) -> Option<Passfile> {
    match given.text("passfile") {
        Some(path) => Some(Passfile { path: path.into(), named: true }),
        None => Some(Passfile { path: home?.join(".pgpass"), named: false }),
    }
}

fn targets(given: &Parameters, exists: &dyn Fn(&Path) -> bool) -> Result<Vec<Target>, Error> {
    let (hosts, addresses) = (list(given, "host"), addresses(given)?);
    let count = hosts.len().max(addresses.len()).max(1);
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        let what = format!("{} hosts do not go with {} addresses", hosts.len(), addresses.len());
        return Err(refused(given.get("hostaddr").map_or("hostaddr", |value| value.origin), what));
    }
    let ports = ports(given, count)?;
    let target = |at: usize| {
        let (address, port) = (addresses.get(at).copied().flatten(), ports[at]);
        let host = hosts.get(at).map(|host| host.trim()).filter(|host| !host.is_empty());
        let host = match (host, address) {
            (Some(host), _) => host.to_owned(),
            (None, Some(address)) => address.to_string(),
            (None, None) => usual_host(port, exists),
        };
        Target { host, address, port }
    };
    let targets: Vec<Target> = (0..count).map(target).collect();
    match targets.iter().any(|target| target.host.contains('@')) {
        true => Err(refused("host", "no host may hold an @")
            .hint("a socket is named by its folder, /var/run/postgresql")),
        false => Ok(targets),
    }
}

fn list<'a>(given: &'a Parameters, name: &str) -> Vec<&'a str> {
    given.text(name).map_or_else(Vec::new, |text| text.split(',').collect())
}

fn addresses(given: &Parameters) -> Result<Vec<Option<IpAddr>>, Error> {
    let origin = given.get("hostaddr").map_or("hostaddr", |value| value.origin);
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| refused(origin, format!("hostaddr \"{text}\" is no IP address"))),
    };
    list(given, "hostaddr").into_iter().map(read).collect()
}

/// One port for all hosts, or one for each. An empty one is 5432.
fn ports(given: &Parameters, count: usize) -> Result<Vec<u16>, Error> {
    let origin = given.get("port").map_or("port", |value| value.origin);
    let bad = |text: &str| refused(origin, format!("port \"{text}\" is not a number from 1 to 65535"));
    let read = |text: &str| match text.trim() {
        "" => Ok(5432),
        text => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| bad(text)),
    };
    let ports: Vec<u16> = list(given, "port").into_iter().map(read).collect::<Result<_, _>>()?;
    match ports.as_slice() {
        [] => Ok(vec![5432; count]),
        [port] => Ok(vec![*port; count]),
        _ if ports.len() == count => Ok(ports),
        _ => Err(refused(origin, format!("{} ports do not go with {count} hosts", ports.len()))),
    }
}

/// The folder in which a server listens on that port, else this machine by name.
fn usual_host(port: u16, exists: &dyn Fn(&Path) -> bool) -> String {
    let listens = |folder: &&str| exists(&Path::new(folder).join(format!(".s.PGSQL.{port}")));
    SOCKETS.into_iter().find(listens).unwrap_or("localhost").to_owned()
}

/// The settings of the session, as the server reads them.
fn options(given: &Parameters) -> Option<String> {
    let path = given.text("search_path").map(|path| format!("-c search_path={}", escaped(path)));
    let options: Vec<String> = given.text("options").map(str::to_owned).into_iter().chain(path).collect();
    (!options.is_empty()).then(|| options.join(" "))
}

/// A value among command-line options: blanks part them, a backslash keeps the character behind it.
pub fn escaped(value: &str) -> String {
    let escape = |c: char| if c.is_whitespace() || c == '\\' { vec!['\\', c] } else { vec![c] };
    value.chars().flat_map(escape).collect()
}

/// Zero and less wait for ever, as with libpq.
fn timeout(given: &Parameters) -> Result<Option<Duration>, Error> {
    let seconds = given.number("connect_timeout")?.unwrap_or(CONNECT_TIMEOUT);
    Ok(positive(Some(seconds)).map(Duration::from_secs))
}

fn positive(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0)
}

fn channel_binding(given: &Parameters) -> Result<ChannelBinding, Error> {
    use ChannelBinding::{Disable, Prefer, Require};
    given.choice("channel_binding", &[("prefer", Prefer), ("disable", Disable), ("require", Require)])
}

fn session(given: &Parameters) -> Result<TargetSessionAttrs, Error> {
    use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
    given.choice("target_session_attrs", &[("any", Any), ("read-write", ReadWrite), ("read-only", ReadOnly)])
}

fn keepalive(given: &Parameters) -> Result<Keepalive, Error> {
    let seconds = |name| given.number(name).map(|number| positive(number).map(Duration::from_secs));
    Ok(Keepalive {
        on: given.number("keepalives")? != Some(0),
        idle: seconds("keepalives_idle")?,
        interval: seconds("keepalives_interval")?,
        count: positive(given.number("keepalives_count")?).and_then(|count| count.try_into().ok()),
        user_timeout: positive(given.number("tcp_user_timeout")?).map(Duration::from_millis),
    })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
