//! `cargo xtask demo`: an application with real text in it, its eight phases, its embeddings, and three questions.

use std::path::PathBuf;
use std::process::Command;

use crate::cluster::{self, Cluster, Kind};
use crate::error::{Context, Failure, Result};
use crate::model;
use crate::place::Place;
use crate::postgres;
use crate::run::{self, Task};
use crate::setup::Server;
use crate::whole;

/// The database of the demonstration; every run begins with a new one.
const DATABASE: &str = "aurum";

/// The application before any migration, in the order in which it is loaded.
const APPLICATION: [(&str, &str); 3] = [
    ("supabase.sql", "what Supabase would bring"),
    ("baseline.sql", "the application's tables"),
    ("data.sql", "its people and what they wrote"),
];

/// The exit code of `strata up` at a gate that is not met: `Kind::GateNotMet` of the core.
const GATE: i32 = 9;

/// The last phase that nobody has to sign for.
const LAST_UNSIGNED: &str = "8";

/// The local model in place of the pack's default provider.
const VARIABLES: [&str; 3] =
    ["embedding_model=all-MiniLM-L6-v2", "embedding_provider=local", "embedding_dimensions=384"];

/// Who asks, and what, mostly in words that the texts do not use.
const QUESTIONS: [(&str, &str); 3] = [
    ("maya", "What helps me to fall asleep after working at night?"),
    ("daniel", "Who do I still owe money to?"),
    ("ruth", "Is my heart all right?"),
];

/// Whose rows the closing example searches.
const MAYA: &str = "10000000-0000-4000-8000-000000000001";

/// Everybody and how much they wrote.
const PEOPLE: &str = "select format('%s  %s: %s tasks, %s journal entries', u.id, split_part(u.email, '@', 1), \
    (select count(*) from tasks t where t.user_id = u.id), \
    (select count(*) from journal_entries j where j.user_id = u.id)) from auth.users u order by u.id";

/// Makes the table of questions.
const QUESTION: &str = include_str!("../demo/question.sql");

/// Answers one; its variables are written as psql writes them.
const ANSWER: &str = include_str!("../demo/answer.sql");

/// Reads the words after `demo` and does it.
pub fn run(words: &[String]) -> Result<()> {
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => show(),
        ["--stop"] => stop(),
        _ => Err(Failure::new(format!("demo does not know `{}`", words.join(" ")))
            .hint("cargo xtask demo [--stop]")),
    }
}

fn stop() -> Result<()> {
    let place = Place::find()?;
    let home = place.own.join("demo");
    cluster::discard(&home, &postgres::choose(&place)?)?;
    run::say("demo: stopped, and its data removed");
    Ok(())
}

fn show() -> Result<()> {
    let model = model::ensure(&Place::find()?)?;
    let server = Server::with_extension()?;
    let place = &server.place;
    let _alone = place.own_lock("demo")?;
    let mut build = run::cargo();
    build.args(["build", "-p", "strata-cli"]).current_dir(&place.checkout);
    run::quiet("setup: building the command line", &place.log("strata-cli")?, &mut build)?;
    let binary = whole::binary(&place.checkout)?;
    let demo = Demo { cluster: started(&server)?, checkout: place.checkout.clone(), binary, model };
    demo.load_application()?;
    demo.migrate()?;
    QUESTIONS.iter().try_for_each(|(who, question)| demo.answer(who, question))?;
    demo.sum_up(&server)
}

/// The cluster of the last run, or a new one: the data is new every time, the server need not be.
fn started(server: &Server) -> Result<Cluster> {
    let home = server.place.own.join("demo");
    let mut cluster = match Cluster::open(&home, &server.postgres) {
        Ok(Some(cluster)) => cluster,
        _ => {
            run::say(format!("demo: making a throwaway cluster in {}", home.display()));
            cluster::discard(&home, &server.postgres)?;
            Cluster::create(&home, &server.postgres, Kind::Throwaway)?
        }
    };
    if !cluster.is_running() {
        cluster.start()?;
    }
    Ok(cluster)
}

struct Demo {
    cluster: Cluster,
    checkout: PathBuf,
    binary: PathBuf,
    model: PathBuf,
}

impl Demo {
    fn load_application(&self) -> Result<()> {
        heading("An application as it is today: its users' texts, no vectors, no search");
        self.cluster.ask("postgres", &format!("drop database if exists {DATABASE} with (force)"))?;
        self.cluster.ask("postgres", &format!("create database {DATABASE}"))?;
        for (file, what) in APPLICATION {
            let task = Task::start(&format!("demo: loading {what}"));
            let path = self.checkout.join("migrations/aurum/app").join(file);
            run::read(self.cluster.psql(DATABASE).arg("-f").arg(path))?;
            task.end();
        }
        Ok(())
    }

    fn migrate(&self) -> Result<()> {
        heading("The Aurum pack, up to its gate: no vector index before the vectors are there");
        self.up_to_the_gate()?;
        heading("Every text gets its embedding, computed on this machine; the three questions too");
        self.cluster.ask(DATABASE, QUESTION)?;
        for (_, question) in QUESTIONS {
            let insert = "insert into demo.question (asked) values (:'asked')";
            self.cluster.ask(DATABASE, &with_values(insert, &[("asked", question)]))?;
        }
        run::loud(&mut self.strata(&["embed"]))?;
        heading("The other phases, up to the last: dropping the old columns waits for a signature");
        run::loud(&mut self.strata(&["up", "--to-phase", LAST_UNSIGNED]))?;
        heading("Where the pack stands");
        run::loud(&mut self.strata(&["status"]))?;
        heading("What the contract phase waits for (strata sign-off ITEM --pack aurum --reason ...)");
        run::loud(&mut self.strata(&["checklist"]))
    }

    /// The pack stops by itself where it needs the embeddings; anything else is a failure.
    fn up_to_the_gate(&self) -> Result<()> {
        let mut up = self.strata(&["up"]);
        up.args(VARIABLES.iter().flat_map(|variable| ["--set", variable]));
        let status = up.stdout(std::io::stderr()).status().context(|| "start strata".into())?;
        if status.code() == Some(GATE) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "strata up ended with {status} instead of stopping at the gate (exit {GATE})"
        )))
    }

    /// The command line on the demonstration's database. The URL holds a password, so it travels in the environment.
    fn strata(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .args(["--pack", "aurum"])
            .env("DATABASE_URL", self.cluster.url(DATABASE))
            .env("MIGRATION_DIR", self.checkout.join("migrations"))
            .env("STRATA_MODEL_DIR", &self.model)
            .current_dir(&self.checkout);
        command
    }

    fn answer(&self, who: &str, question: &str) -> Result<()> {
        heading(&format!("{who} asks: {question}"));
        let email = format!("{who}@aurum.example");
        let values = [("asked", question), ("email", &email)];
        let sql = with_values(ANSWER, &values);
        println!("{sql}");
        let look = ["-P", "border=2", "-P", "linestyle=unicode", "-P", "footer=off"];
        println!("{}", run::read(self.cluster.psql(DATABASE).args(look).args(["-c", &sql]))?.trim_end());
        Ok(())
    }

    fn sum_up(&self, server: &Server) -> Result<()> {
        let (url, bin, strata) =
            (self.cluster.url(DATABASE), server.postgres.bin.display(), self.binary.display());
        heading("What is there now");
        println!("PostgreSQL  {} with pgvector and strata, in {bin}", server.postgres.version);
        println!("model       {}", self.model.display());
        println!("database    {url}");
        println!("people      {}", self.cluster.ask(DATABASE, PEOPLE)?.replace('\n', "\n            "));
        heading("Look further");
        println!("{bin}/psql {url}");
        println!("    select * from migration_history;");
        println!("    select * from hierarchy_view limit 5;");
        println!("export DATABASE_URL={url}");
        println!("{strata} search \"what made me happy?\" --user {MAYA}");
        println!("{strata} status --pack aurum");
        println!("cargo xtask demo --stop    # ends it and removes its data");
        Ok(())
    }
}

/// Puts quoted literals where psql would put its variables (`:'name'`), so that what is shown is what is run.
fn with_values(sql: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(sql.trim_end().to_string(), |sql, (name, value)| {
        sql.replace(&format!(":'{name}'"), &format!("'{}'", value.replace('\'', "''")))
    })
}

fn heading(text: &str) {
    println!("\n== {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_quote_stays_a_literal() {
        assert_eq!(with_values("select :'a', :'b'\n", &[("a", "it's"), ("b", "x")]), "select 'it''s', 'x'");
    }

    #[test]
    fn the_answer_has_no_other_variable_than_its_two() {
        let sql = with_values(ANSWER, &[("asked", ""), ("email", "")]);
        assert!(!sql.contains(":'"), "{sql}");
    }
}
