//! What psql makes of a script: the statements that it sends, heard by a server that answers nothing.

use crate::environment::program;
use crate::fake_server::FakeServer;
use std::io::Write;
use std::process::{Command, Stdio};

/// What psql did with a script.
pub struct Heard {
    /// The texts that it sent, in order, as it sent them.
    pub sent: Vec<String>,
    /// What it wrote itself: the words of `\echo`.
    pub said: Vec<String>,
    /// Its complaints.
    pub complaints: String,
}

/// Lets psql run a script from its standard input.
pub fn run(script: &str) -> Heard {
    let server = FakeServer::start([None; 4]);
    let mut psql = Command::new(program("psql"))
        .args(["-X", "-q", "-d", &server.url(), "-f", "-"])
        .env("PGSSLMODE", "disable")
        .env("PGGSSENCMODE", "disable")
        .env("PGCLIENTENCODING", "UTF8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = psql.stdin.take().unwrap();
    let text = script.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let told = psql.wait_with_output().unwrap();
    // It reads to the end, or its complaints say why not.
    let _ = writer.join().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Heard {
        sent: server.asked(),
        said: text(&told.stdout).lines().map(str::to_owned).collect(),
        complaints: text(&told.stderr),
    }
}
