//! Running the command line, and what every run of it must keep: no panic, no password, one error.

use crate::Database;
use crate::environment::{self, BARE, FULL};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest that a run may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(240);

/// The command line on one database, with what is said on every call.
#[derive(Clone)]
pub struct Strata {
    url: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Strata {
    /// On a database.
    pub fn on(database: &Database) -> Self {
        Self::at(&database.url())
    }

    /// On a URL.
    pub fn at(url: &str) -> Self {
        Strata { url: url.to_owned(), args: Vec::new(), env: Vec::new() }
    }

    /// With a pack in a folder.
    pub fn path(self, folder: &Path) -> Self {
        self.arg("--path").arg(&folder.display().to_string())
    }

    /// With a value of a variable.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.arg("--set").arg(&format!("{name}={value}"))
    }

    /// With a further argument.
    pub fn arg(mut self, word: &str) -> Self {
        self.args.push(word.to_owned());
        self
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Outcome {
        self.start(words).end()
    }

    /// Starts it.
    pub fn start(&self, words: &[&str]) -> Running {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|e| panic!("{}: {e}", environment::strata().display()));
        let stdout = Heard::listen(child.stdout.take().unwrap());
        let stderr = Heard::listen(child.stderr.take().unwrap());
        Running { child, stdout, stderr, line: format!("strata {} {}", words.join(" "), self.args.join(" ")) }
    }

    /// As it is started; where its input comes from and its output goes is the caller's.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(environment::strata());
        for (name, _) in std::env::vars() {
            if name.starts_with("PG") || name.starts_with("STRATA_") || name.starts_with("RUST_") {
                command.env_remove(name);
            }
        }
        command
            .env_remove("DATABASE_URL")
            .env_remove("MIGRATION_DIR")
            .env("STRATA_MODEL_DIR", environment::model())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .args(words)
            .args(&self.args)
            .args(["--database", &self.url]);
        command
    }
}

/// What a run has written so far, and the thread that listens.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl Heard {
    fn listen(mut from: impl Read + Send + 'static) -> Heard {
        let text = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&text);
        let listener = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut part) {
                heard.lock().unwrap().extend(&part[..length]);
            }
        });
        Heard { text, listener }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn all(self) -> String {
        self.listener.join().unwrap();
        String::from_utf8(std::mem::take(&mut *self.text.lock().unwrap()))
            .expect("the command line writes UTF-8")
    }
}

/// A run that goes on.
pub struct Running {
    child: Child,
    stdout: Heard,
    stderr: Heard,
    line: String,
}

impl Running {
    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Any other signal, by its name.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success(), "{} had ended already", self.line);
    }

    /// Waits until its log says this.
    pub fn until(&self, said: &str) {
        let began = Instant::now();
        while !self.stderr.so_far().contains(said) {
            let heard = self.stderr.so_far();
            assert!(began.elapsed() < PATIENCE, "{}: waited in vain for {said:?}: {heard}", self.line);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end and checks what every run must keep.
    pub fn end(mut self) -> Outcome {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("{} hangs", self.line);
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let outcome = Outcome { code: status.code(), stdout, stderr, line: self.line };
        outcome.keeps_its_manners();
        outcome
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    /// The result.
    pub stdout: String,
    /// Log and error.
    pub stderr: String,
    line: String,
}

impl Outcome {
    /// Fails unless it exited so.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\nstdout: {}\nstderr: {}", self.line, self.stdout, self.stderr);
        self
    }

    /// Fails unless it did what it was asked.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Fails unless the one error line says all of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        let error = self.error();
        for part in parts {
            assert!(error.contains(part), "{}\n{part:?} is not in: {error}", self.line);
        }
        self
    }

    /// The line of stderr that tells the error; empty where there is none.
    pub fn error(&self) -> &str {
        self.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default()
    }

    /// The result of `--json`.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}: one line of JSON, not: {}", self.line, self.stdout);
        let value: serde_json::Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{}: {e}: {}", self.line, self.stdout));
        assert_eq!(value["schema"], 1, "{}: {value}", self.line);
        value
    }

    fn keeps_its_manners(&self) {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        for bad in ["panicked", "RUST_BACKTRACE", "stack backtrace", &FULL.password, &BARE.password] {
            assert!(!all.contains(bad), "{}: the output contains {bad:?}:\n{all}", self.line);
        }
        let errors = self.stderr.lines().filter(|line| line.starts_with("error:")).count();
        let expected = usize::from(self.code.is_some_and(|code| code != 0));
        assert!(errors <= expected, "{}: {errors} error lines with exit {:?}:\n{all}", self.line, self.code);
    }
}
