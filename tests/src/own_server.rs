//! A server of a test's own: small, strange, or about to have a bad day. It ends with the test.

use crate::Database;
use crate::database::unique;
use crate::environment::{Cluster, program};
use postgres::{Client, NoTls};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that a server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The superuser and its password.
const USER: &str = "owner";
const PASSWORD: &str = "own-server-secret";

/// Settings of every one.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\nshared_buffers = '16MB'\n\
    max_wal_size = '256MB'\n";

/// A folder that whoever runs servers may enter, removed with the test.
pub struct Home(PathBuf);

impl Home {
    /// An empty one. Servers refuse root, so root gives it to somebody else.
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique("strata_own"));
        std::fs::create_dir_all(&path).unwrap();
        let home = Home(path);
        home.give(&home.0);
        home
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives a file in it to the servers' user.
    pub fn give(&self, path: &Path) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((uid, gid)) = somebody_else() {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// User and group without privileges, where we are root.
fn somebody_else() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let table = std::fs::read_to_string("/etc/passwd").unwrap();
    let line =
        |name: &str| table.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned);
    let line = line("postgres").or_else(|| line("nobody")).expect("a user for servers");
    let number = |at| line.split(':').nth(at).unwrap().parse().unwrap();
    Some((number(2), number(3)))
}

/// Whether the test may do what only root may.
pub fn is_root() -> bool {
    somebody_else().is_some()
}

/// A program that runs as the servers' user, without libpq's variables of the person.
pub fn calmly(path: &Path, home: &Home) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.current_dir(home.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = somebody_else() {
        command.uid(uid).gid(gid);
    }
    command
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server and its folder.
pub struct OwnServer {
    home: Home,
    port: u16,
    process: Option<Child>,
    cluster: &'static Cluster,
    /// What the shell does before it becomes the server.
    before: String,
}

impl OwnServer {
    /// A new cluster with these settings, running.
    pub fn start(settings: &str) -> OwnServer {
        OwnServer::limited(settings, "")
    }

    /// One whose process is limited by the shell first, such as `ulimit -f 10`.
    pub fn limited(settings: &str, before: &str) -> OwnServer {
        let home = Home::new();
        let secret = home.path().join("secret");
        std::fs::write(&secret, PASSWORD).unwrap();
        home.give(&secret);
        let mut initdb = calmly(&program("initdb"), &home);
        initdb.args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
            "data",
        ]);
        assert!(initdb.arg("--pwfile").arg(&secret).status().unwrap().success(), "initdb");
        let mut server = OwnServer::around(home, before);
        server.set(&format!("{SETTINGS}{settings}"));
        server.go();
        server
    }

    /// A copy of another that follows it.
    pub fn standby_of(primary: &OwnServer, settings: &str) -> OwnServer {
        let home = Home::new();
        let mut copy = calmly(&program("pg_basebackup"), &home);
        copy.args(["-D", "data", "-R", "-c", "fast", "-X", "stream", "-d", &primary.url("postgres")]);
        assert!(copy.status().unwrap().success(), "pg_basebackup");
        let mut server = OwnServer::around(home, "");
        server.set(settings);
        server.run();
        server
    }

    fn around(home: Home, before: &str) -> OwnServer {
        let port = free_port();
        let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres");
        // A handful for the whole life of the process.
        let cluster = Box::leak(Box::new(Cluster::parse(&url)));
        OwnServer { home, port, process: None, cluster, before: before.to_owned() }
    }

    /// Adds settings, for the next start.
    pub fn set(&self, settings: &str) {
        let file = self.home.path().join("data/postgresql.conf");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n{settings}\n")).unwrap();
    }

    /// Lets the shell do this before the next start.
    pub fn limit(&mut self, before: &str) {
        self.before = before.to_owned();
    }

    /// Starts it, and waits until it lets sessions in.
    pub fn go(&mut self) {
        self.run();
        self.until("it does not start", |answer| answer.is_ok());
    }

    /// Starts it.
    pub fn run(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.home.path().join("log")).unwrap();
        let command = format!("{} exec \"$0\" -D data -p {}", self.before, self.port);
        let mut shell = calmly(Path::new("/bin/sh"), &self.home);
        shell.args(["-c", &command]).arg(program("postgres")).stderr(log);
        self.process = Some(shell.spawn().unwrap());
    }

    /// Ends every session and the server.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Stops it as if the machine had failed, and starts it again.
    pub fn crash(&mut self) {
        self.end("QUIT");
        self.go();
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut process) = self.process.take() {
            let _ = Command::new("kill").arg(format!("-{signal}")).arg(process.id().to_string()).status();
            process.wait().unwrap();
        }
    }

    /// Waits until an attempt to connect has this outcome.
    pub fn until(&self, otherwise: &str, wanted: impl Fn(Result<Client, postgres::Error>) -> bool) {
        let began = Instant::now();
        while !wanted(Client::connect(&self.url("postgres"), NoTls)) {
            let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "{otherwise}: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where a client finds a database of it.
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An empty database in it.
    pub fn database(&self) -> Database {
        Database::empty_in(self.cluster)
    }

    /// Its folder.
    pub fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}
