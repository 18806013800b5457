//! A PostgreSQL cluster of our own: made, started on a free port of 127.0.0.1, stopped. Never the machine's.

use std::env;
use std::fs::{self, Permissions};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Context, Failure, Result};
use crate::installation::Installation;
use crate::place;
use crate::run;
use crate::user::Runner;

/// The superuser of every cluster of ours. Not `strata`: a schema of the user's own name comes first on the
/// search_path, and what is created without a schema would land in it.
pub const USER: &str = "owner";

/// Code point order everywhere, and letters beyond ASCII are letters where the system knows such a locale.
const LOCALE: &str = if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--locale=C" };

/// How often a start is tried when somebody else takes the port first.
const TRIES: u32 = 5;

/// Settings of every cluster. No socket: its path would have to be short, and TCP is what clients use.
const ALWAYS: &str = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nlog_line_prefix = '%m [%p] %q%u@%d '\n\
    timezone = 'UTC'\nlog_timezone = 'UTC'\n";

/// Settings of a cluster whose data nobody will miss. Tests side by side each have a run at work in the background.
const THROWAWAY: &str = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = '4GB'\n\
    max_worker_processes = 32\n";

/// Settings of a cluster that is killed on purpose. What was committed is with the system's kernel, which lives on: no
/// power fails here, so nothing has to reach the disk. Crashes come many times a minute: its recovery is short.
const KILLED: &str = "fsync = off\nfull_page_writes = off\nmax_worker_processes = 32\nmax_wal_size = '256MB'\n\
    shared_buffers = '32MB'\nmax_connections = 40\n";

/// What a cluster's data is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Kept between runs.
    Durable,
    /// Quick rather than safe.
    Throwaway,
    /// Quick, and keeps what was committed when its processes are killed.
    Killed,
}

/// How a server ends.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Ends its sessions and writes everything down.
    Fast,
    /// As if the power failed: for data that is about to be removed.
    Immediate,
}

/// A cluster on disk; `port` and `password` let a client in while it runs.
#[derive(Clone, Debug)]
pub struct Cluster {
    home: PathBuf,
    bin: PathBuf,
    runner: Runner,
    user: String,
    password: String,
    port: u16,
}

impl Cluster {
    /// Makes a new cluster in `home`, which must not be there yet.
    pub fn create(home: &Path, postgres: &Installation, kind: Kind) -> Result<Self> {
        let runner = Runner::choose()?;
        check_readable(postgres, &runner)?;
        if let Some(parent) = home.parent() {
            place::public_dir(parent)?;
        }
        fs::create_dir(home).context(|| format!("make the folder {}", home.display()))?;
        protect(home, 0o700, &runner)?;
        let (user, password) = (USER.to_string(), random_password()?);
        let cluster = Self { home: home.into(), bin: postgres.bin.clone(), runner, user, password, port: 0 };
        cluster.write("user", &cluster.user, 0o600)?;
        cluster.write("password", &cluster.password, 0o600)?;
        cluster.initdb()?;
        let settings = settings(postgres, kind);
        let file = cluster.data().join("postgresql.conf");
        let text = fs::read_to_string(&file).context(|| format!("read {}", file.display()))?;
        fs::write(&file, text + &settings).context(|| format!("write {}", file.display()))?;
        Ok(cluster)
    }

    /// A cluster that an earlier run made, running or not; `None` when there is none.
    pub fn open(home: &Path, postgres: &Installation) -> Result<Option<Self>> {
        let read = |name| fs::read_to_string(home.join(name));
        let (Ok(user), Ok(password)) = (read("user"), read("password")) else { return Ok(None) };
        let Ok(made_by) = read("data/PG_VERSION") else { return Ok(None) };
        if made_by.trim() != postgres.version.major.to_string() {
            return Err(Failure::new(format!("{} is of PostgreSQL {}", home.display(), made_by.trim()))
                .hint(format!("PostgreSQL {} cannot read it; begin anew with --fresh", postgres.version)));
        }
        let port = port_of(home).unwrap_or_default();
        let (bin, runner) = (postgres.bin.clone(), Runner::choose()?);
        Ok(Some(Self { home: home.into(), bin, runner, user, password, port }))
    }

    /// Starts it on a free port and waits until it accepts connections.
    pub fn start(&mut self) -> Result<()> {
        let mut last = Failure::new("no free port");
        for _ in 0..TRIES {
            self.port = free_port()?;
            match run::read(
                self.pg_ctl(&["start"]).args(["-o", &format!("-p {}", self.port)]).args(self.log_args()),
            ) {
                Ok(_) => return Ok(()),
                Err(failure) => last = failure,
            }
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        Err(last.hint(format!("the end of {}:\n{}", self.log().display(), run::tail(&log, 20))))
    }

    /// Stops it; done when it is stopped already.
    pub fn stop(&self, how: Stop) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        run::read(&mut self.pg_ctl(&["stop", "-m", mode])).map(drop)
    }

    /// Whether its own server runs. A process that merely has the number of a dead one does not count.
    pub fn is_running(&self) -> bool {
        postmaster(&self.data()).is_some()
    }

    /// Where a client finds a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{}:{}@127.0.0.1:{}/{database}", self.user, self.password, self.port)
    }

    /// The same for another role.
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// A program of PostgreSQL's that connects to a database as the superuser.
    pub fn client(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        forget_settings(&mut command);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", &self.user)
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", database)
            .stdin(Stdio::null());
        command
    }

    /// psql that stops at the first error and reads no settings of the person's.
    pub fn psql(&self, database: &str) -> Command {
        let mut command = self.client("psql", database);
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
        command
    }

    /// One value, or one per line.
    pub fn ask(&self, database: &str, sql: &str) -> Result<String> {
        let answer = run::read(self.psql(database).args(["-A", "-t", "-c", sql]))?;
        Ok(answer.trim_end().to_string())
    }

    /// Its folder: `data`, `log`, and the superuser in `user` and `password`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// What the server said.
    pub fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn initdb(&self) -> Result<()> {
        let mut command = Command::new(self.bin.join("initdb"));
        command.arg("-D").arg(self.data()).args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", LOCALE]);
        command.arg("--pwfile").arg(self.home.join("password")).arg("--no-instructions").stdin(Stdio::null());
        self.runner.apply(&mut command);
        run::read(&mut command).map(drop)
    }

    fn pg_ctl(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join("pg_ctl"));
        command.args(words).args(["-s", "-w", "-t", "120", "-D"]).arg(self.data());
        forget_settings(&mut command);
        self.runner.apply(&mut command);
        command
    }

    fn log_args(&self) -> [PathBuf; 2] {
        ["-l".into(), self.log()]
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<()> {
        let path = self.home.join(name);
        fs::write(&path, text).context(|| format!("write {}", path.display()))?;
        protect(&path, mode, &self.runner)
    }
}

/// libpq's variables of the person (`PGSERVICE`, `PGSSLMODE`, `PGDATA` ...) speak of another server.
fn forget_settings(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
}

fn protect(path: &Path, mode: u32, runner: &Runner) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .context(|| format!("protect {}", path.display()))?;
    runner.own(path)
}

/// The servers' user must be able to enter every folder above the programs.
fn check_readable(postgres: &Installation, runner: &Runner) -> Result<()> {
    let mut command = Command::new(postgres.bin.join("postgres"));
    command.arg("--version");
    runner.apply(&mut command);
    run::read(&mut command).map(drop).map_err(|failure| {
        let who = runner.name().unwrap_or("this user");
        let bin = postgres.bin.display();
        Failure::new(format!("{who} cannot run {bin}/postgres: {failure}"))
            .hint("set STRATA_CACHE to a folder that every user can enter")
    })
}

fn settings(postgres: &Installation, kind: Kind) -> String {
    let preload = postgres.has_module("pg_stat_statements");
    let preload = if preload { "shared_preload_libraries = 'pg_stat_statements'\n" } else { "" };
    let quick = match kind {
        Kind::Durable => "",
        Kind::Throwaway => THROWAWAY,
        Kind::Killed => KILLED,
    };
    format!("\n{ALWAYS}{quick}{preload}")
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context(|| "find a free port".into())?;
    Ok(listener.local_addr().context(|| "find a free port".into())?.port())
}

/// 128 bits, in hexadecimal.
pub fn random_password() -> Result<String> {
    let mut bytes = [0u8; 16];
    let mut source = fs::File::open("/dev/urandom").context(|| "open /dev/urandom".into())?;
    source.read_exact(&mut bytes).context(|| "read /dev/urandom".into())?;
    Ok(place::hex(&bytes))
}

/// The port in the fourth line of the server's own pid file.
fn port_of(home: &Path) -> Option<u16> {
    let file = fs::read_to_string(home.join("data/postmaster.pid")).ok()?;
    file.lines().nth(3)?.trim().parse().ok()
}

/// Stops whatever serves `home`, half-made or of another version as it may be, and removes it.
pub fn discard(home: &Path, postgres: &Installation) -> Result<()> {
    let (bin, runner) = (postgres.bin.clone(), Runner::choose()?);
    let cluster =
        Cluster { home: home.into(), bin, runner, user: USER.into(), password: String::new(), port: 0 };
    cluster.stop(Stop::Immediate)?;
    place::remove_dir(home)
}

/// The process that serves a data folder: the pid file's, when that process really is a server of this folder.
pub fn postmaster(data: &Path) -> Option<u32> {
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: u32 = file.lines().next()?.trim().parse().ok()?;
    command_line(pid)?.contains(&data.display().to_string()).then_some(pid)
}

/// How a process was started, if it is there.
pub fn command_line(pid: u32) -> Option<String> {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    run::read(Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_random_and_needs_no_escape_in_a_url() {
        let (one, two) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, two);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_stranger_with_the_number_of_a_dead_server_is_not_the_server() {
        let home = env::temp_dir().join(format!("strata-xtask-{}", std::process::id()));
        fs::create_dir_all(home.join("data")).unwrap();
        fs::write(home.join("data/postmaster.pid"), format!("{}\n/x\n0\n5433\n", std::process::id()))
            .unwrap();
        assert_eq!(port_of(&home), Some(5433));
        assert_eq!(postmaster(&home.join("data")), None);
        fs::remove_dir_all(&home).unwrap();
    }
}
