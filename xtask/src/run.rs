//! Child processes: read one's output, run one quietly with a log file, or let it talk.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::{Context, Failure, Result};

/// Lines of a log that are shown when its child fails.
const SHOWN: usize = 40;

/// Tells the person what is about to happen. Always on stderr: stdout is for results.
pub fn say(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// What stands between `sh` and the program that runs with an open umask.
const OPEN_UMASK: [&str; 3] = ["-c", "umask 022; exec \"$@\"", "sh"];

/// The cargo that runs us, without the variables that it set for this crate alone.
pub fn cargo() -> Command {
    as_outside(Command::new(cargo_program()))
}

/// The same, making files that everybody may read.
pub fn readable_cargo() -> Command {
    as_outside(readable(cargo_program()))
}

/// A child whose files everybody may read, whatever our umask is.
pub fn readable(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("sh");
    command.args(OPEN_UMASK).arg(program);
    command
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn as_outside(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| text.starts_with(p))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Standard output of a child that must succeed.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context(|| format!("start {}", name(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("{} failed ({}): {}", name(command), output.status, said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a child that is only asked a question says yes. A program that is not there says no.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a child that talks to the person; what it prints on stdout goes to stderr.
pub fn loud(command: &mut Command) -> Result<()> {
    let status = command.stdout(std::io::stderr()).status().context(|| format!("start {}", name(command)))?;
    outcome(command, status)
}

/// Runs a child whose output is the result.
pub fn printing(command: &mut Command) -> Result<()> {
    let status = command.status().context(|| format!("start {}", name(command)))?;
    outcome(command, status)
}

/// Says `title`, runs the child with its output in `log`, shows the end of it when the child fails.
pub fn quiet(title: &str, log: &Path, command: &mut Command) -> Result<()> {
    let file = File::create(log).context(|| format!("create {}", log.display()))?;
    let twin = file.try_clone().context(|| format!("open {}", log.display()))?;
    let task = Task::start(title);
    let child = command.stdin(Stdio::null()).stdout(file).stderr(twin).status();
    let status = child.context(|| format!("start {}", name(command)))?;
    task.end();
    outcome(command, status).map_err(|failure| {
        eprintln!("{}", tail(&fs::read_to_string(log).unwrap_or_default(), SHOWN));
        failure.hint(format!("the whole log is {}", log.display()))
    })
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn outcome(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{} failed ({status})", name(command))))
}

/// The command as one would type it: no folder before the program, no environment, no umask.
fn name(command: &Command) -> String {
    let all: Vec<&OsStr> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let typed = if all.iter().skip(1).take(3).eq(&OPEN_UMASK) { &all[4..] } else { &all[..] };
    let program = typed.first().map(|program| Path::new(program).file_name().unwrap_or(program));
    let words = program.into_iter().chain(typed.iter().skip(1).copied());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Something that takes time: a line at its start, a clock on a terminal, seconds at its end.
pub struct Task {
    title: String,
    since: Instant,
    clock: ProgressBar,
}

impl Task {
    /// Says what begins.
    pub fn start(title: &str) -> Self {
        let clock = if std::io::stderr().is_terminal() {
            let style =
                ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is constant");
            let bar = ProgressBar::new_spinner().with_style(style).with_message(title.to_string());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            say(format!("{title} ..."));
            ProgressBar::hidden()
        };
        Self { title: title.into(), since: Instant::now(), clock }
    }

    /// Says how long it took.
    pub fn end(self) {
        self.clock.finish_and_clear();
        say(format!("{}: {:.1} s", self.title, self.since.elapsed().as_secs_f64()));
    }
}

/// Whether a verb that knows one word was given it.
pub fn wants_json(verb: &str, words: &[String]) -> Result<bool> {
    match words {
        [] => Ok(false),
        [word] if word == "--json" => Ok(true),
        _ => Err(Failure::new(format!("{verb} does not know `{}`", words.join(" ")))
            .hint(format!("cargo xtask {verb} [--json]"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_short_text_is_the_text() {
        assert_eq!(tail("a\nb", 5), "a\nb");
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
    }

    #[test]
    fn a_command_is_named_as_it_is_typed() {
        assert_eq!(name(Command::new("/opt/bin/make").arg("-s")), "make -s");
        assert_eq!(name(readable("/opt/bin/make").arg("-s")), "make -s");
        assert_eq!(name(&Command::new("make")), "make");
    }

    #[test]
    fn a_program_that_is_not_there_says_no() {
        assert!(!succeeds(&mut Command::new("strata-no-such-program")));
    }

    #[test]
    fn a_child_that_fails_is_named_with_what_it_said() {
        let failure = read(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("sh -c") && text.contains("why"), "{text}");
    }
}
