//! A cluster that a test may kill: nobody else's databases are in it. `cargo xtask` makes it, and cleans up after it.

use crate::environment::{self, Cluster, program};
use postgres::{Client, NoTls};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that a killed server may take until it answers again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest that a server may take to notice that one of its processes was killed.
const NOTICE: Duration = Duration::from_secs(10);

/// A server and its folder.
#[derive(Debug)]
pub struct Victim {
    home: PathBuf,
    port: u16,
    cluster: &'static Cluster,
}

impl Victim {
    /// Every cluster that was made for this.
    pub fn all() -> Vec<Victim> {
        environment::victims().iter().map(|home| Victim::at(home)).collect()
    }

    fn at(home: &Path) -> Victim {
        let read = |name: &str| {
            let path = home.join(name);
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let port = read("data/postmaster.pid").lines().nth(3).unwrap().trim().parse().unwrap();
        let url = format!("postgres://{}:{}@127.0.0.1:{port}/postgres", read("user"), read("password"));
        // A handful for the whole life of the process.
        Victim { home: home.into(), port, cluster: Box::leak(Box::new(Cluster::parse(&url))) }
    }

    /// For its databases.
    pub fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    /// Where it listens, before and after every kill.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// SIGKILL of one of its processes. The server takes that for a crash: it ends every session and recovers.
    /// Returns when it answers again; false where the process was gone already, or about to go, and nothing happened.
    pub fn kill_process(&self, pid: i32) -> bool {
        let mut witness = self.connect();
        if !sent("KILL", pid) {
            return false;
        }
        let began = Instant::now();
        while witness.batch_execute("select pg_sleep(0.01)").is_ok() {
            if began.elapsed() > NOTICE {
                return false;
            }
        }
        self.ready();
        true
    }

    /// Stops it as if the machine had failed, and starts it again.
    pub fn crash(&self) {
        self.pg_ctl(&["stop", "-m", "immediate"]);
        let port = format!("-p {}", self.port);
        let log = self.home.join("log").display().to_string();
        self.pg_ctl(&["start", "-o", &port, "-l", &log]);
        self.ready();
    }

    /// Waits until it lets sessions in.
    pub fn ready(&self) {
        let began = Instant::now();
        while let Err(cause) = Client::connect(&self.cluster.url("postgres"), NoTls) {
            assert!(began.elapsed() < PATIENCE, "the server does not come back: {cause}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A session in its maintenance database.
    pub fn connect(&self) -> Client {
        Client::connect(&self.cluster.url("postgres"), NoTls).unwrap()
    }

    /// As the owner of the folder: a server does not run as root.
    fn pg_ctl(&self, words: &[&str]) {
        let data = self.home.join("data");
        let owner = std::fs::metadata(&data).unwrap();
        let mut command = Command::new(program("pg_ctl"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
            command.env_remove(name);
        }
        command.args(words).args(["-s", "-w", "-t", "60", "-D"]).arg(&data).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        if owner.uid() != std::fs::metadata("/proc/self").map_or(owner.uid(), |me| me.uid()) {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let status = command.status().unwrap();
        assert!(status.success(), "pg_ctl {}: {status}", words.join(" "));
    }
}

/// Sends a signal to a process, by the signal's name.
pub fn signal(name: &str, pid: i32) {
    assert!(sent(name, pid), "process {pid} had ended already");
}

/// False where there is no such process.
fn sent(name: &str, pid: i32) -> bool {
    Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}
