//! A PgBouncer in front of a cluster, for as long as a test.

use crate::environment::Cluster;
use crate::own_server::{Home, calmly, free_port};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// A running pooler.
pub struct Pooler {
    process: Child,
    url: String,
    _home: Home,
}

impl Pooler {
    /// Starts one in `transaction`, `session` or `statement` mode.
    pub fn start(cluster: &Cluster, mode: &str) -> Pooler {
        let server: postgres::Config = cluster.url("postgres").parse().unwrap();
        let (user, port) = (server.get_user().unwrap(), free_port());
        let home = Home::new();
        let users = home.path().join("users");
        std::fs::write(&users, format!("\"{user}\" \"{}\"\n", cluster.password)).unwrap();
        let settings = home.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\nserver_idle_timeout = 1\n",
            server.get_ports()[0],
            users.display()
        );
        std::fs::write(&settings, text).unwrap();
        home.give(&users);
        home.give(&settings);
        let program = std::env::var("STRATA_TEST_PGBOUNCER").expect("run cargo xtask test");
        let process = calmly(Path::new(&program), &home).arg("-q").arg(&settings).spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "pgbouncer does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        let url = cluster.url("").replace(&format!(":{}/", server.get_ports()[0]), &format!(":{port}/"));
        Pooler { process, url, _home: home }
    }

    /// URL of a database behind it.
    pub fn url(&self, database: &str) -> String {
        format!("{}{database}", self.url)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
