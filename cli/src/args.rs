//! The arguments and their help texts.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use strata_core::adopt::Wish;

pub mod model;

const AFTER: &str = "\
Exit codes: 0 ok, 1 a statement failed, 2 usage, 3 pending (status --exit-code), 4 verification failed, 5 repair needed, \
6 locked, 7 an applied file changed, 9 gate not met, 10 cannot connect, 11 not confirmed; docs/errors.md has them all.
golang-migrate's options are understood as it writes them, with one dash.";

/// Phased, verified, reversible migrations and embeddings for a live Postgres.
#[derive(Parser, Debug)]
#[command(name = "strata", version, after_help = AFTER, max_term_width = 100)]
pub struct Args {
    /// postgres:// URL. Without it: DATABASE_URL, SUPABASE_DB_URL or POSTGRES_URL, else libpq's PGHOST, PGUSER, ...
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,

    /// URL of the Edge Function, to go through it instead of a connection: up, down, goto, status, version, verify,
    /// checklist, sign-off, embed, search. STRATA_SECRET_KEY holds a secret key of the project.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "database")]
    pub via: Option<String>,

    /// Pack to work on: its name, below MIGRATION_DIR (default ./migrations).
    #[arg(long, global = true, value_name = "NAME")]
    pub pack: Option<String>,

    /// Folder of the pack: golang-migrate's layout, Supabase's, or with a pack.toml.
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "pack")]
    pub path: Option<PathBuf>,

    /// The same as golang-migrate writes it: file://DIR.
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["pack", "path"], value_parser = source)]
    pub source: Option<PathBuf>,

    /// Take over what the migration tool of this table has applied, and keep the table in step. Without it: a table of
    /// golang-migrate's or Supabase's that is found and fits.
    #[arg(long, global = true, value_name = "TABLE", conflicts_with = "no_adopt")]
    pub adopt: Option<String>,

    /// Take over nothing, and keep no other tool's table in step; remembered.
    #[arg(long, global = true)]
    pub no_adopt: bool,

    /// Value of a variable of the pack; remembered in the database.
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,

    /// Seconds to wait for another run of the same pack to end.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 15)]
    pub lock_timeout: u64,

    /// golang-migrate's; files are read at once.
    #[arg(long, global = true, value_name = "N", hide = true)]
    pub prefetch: Option<u64>,

    /// Show every step, and how long it all took.
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Print the result as one JSON object.
    #[arg(long, global = true)]
    pub json: bool,

    /// No log and no progress on stderr, only errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// The folder that was named.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.path.as_ref().or(self.source.as_ref())
    }

    /// What was said about the tables of other tools; `table` is what the URL names.
    pub fn wish(&self, table: Option<String>) -> Wish {
        match (self.no_adopt, self.adopt.clone().or(table)) {
            (true, _) => Wish::Never,
            (false, Some(table)) => Wish::Table(table),
            (false, None) => Wish::Find,
        }
    }
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Create the empty up and down file of a new version, and print their paths.
    Create(Create),
    /// Apply pending versions.
    Up(Up),
    /// Take applied versions back, the newest first.
    Down(Down),
    /// Move to a version, up or down; 0 takes everything back.
    Goto(Goto),
    /// Drop every table of the schema, as golang-migrate does.
    Drop(Drop),
    /// Say at which version the database is, without running anything; -1 or 0: at none.
    Force(Force),
    /// Print the newest applied version, "none" before the first, "(dirty)" behind one that stands half-way.
    Version(Version),
    /// Show every version of the pack and where it stands.
    Status(Status),
    /// Run the verification of every applied version again.
    Verify,
    /// Show what must hold before each phase may start, and whether it does.
    Checklist,
    /// Sign an item of the checklist, for the files as they are now.
    SignOff(SignOff),
    /// Verify, and throw away the copies that the contract phase kept; its versions cannot be taken back then.
    Finalize(Finalize),
    /// Keep the files of the pack in the database, for strata.start_run.
    Push,
    /// Embed what changes, and go on with runs that nobody executes: their executor died, or never came.
    Worker(Worker),
    /// Embed every row of every registered source that has no embedding yet.
    Embed(Embed),
    /// Embed every row of the sources again with the model that they have; the old embeddings serve until then.
    Reindex(Reindex),
    /// The models that embed: register one, and change the model of sources while they are searched.
    #[command(subcommand)]
    Model(model::Model),
    /// Search one tenant's rows by text.
    Search(Box<Search>),
    /// Measure how well search answers a labelled set of questions; leaves nothing in the database.
    Eval(Eval),
    /// Show who waits for whom in the database, and end one of them.
    Locks(Locks),
    /// Print the completions of a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Options of `create`.
#[derive(clap::Args, Debug)]
pub struct Create {
    /// What the migration is about.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Extension of the files.
    #[arg(long, value_name = "E", default_value = "sql")]
    pub ext: String,
    /// Folder to create them in. Without it: --path, else the current one.
    #[arg(long, value_name = "D")]
    pub dir: Option<PathBuf>,
    /// Number them one after another instead of by time.
    #[arg(long, conflicts_with_all = ["format", "tz"])]
    pub seq: bool,
    /// Digits of such a number.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=18))]
    pub digits: u16,
    /// Go's layout of the time, or unix, or unixNano.
    #[arg(long, value_name = "FORMAT", default_value = "20060102150405")]
    pub format: String,
    /// Time zone of the time.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub tz: String,
}

/// Options of `goto`.
#[derive(clap::Args, Debug)]
pub struct Goto {
    /// The version to reach.
    #[arg(value_name = "V", value_parser = clap::value_parser!(i64).range(0..))]
    pub version: i64,
    /// Options of every move.
    #[command(flatten)]
    pub patience: Patience,
    /// Trying it first.
    #[command(flatten)]
    pub trial: Trial,
}

/// Options of `drop`.
#[derive(clap::Args, Debug)]
pub struct Drop {
    /// Do not ask.
    #[arg(short, long)]
    pub force: bool,
}

/// Options of `force`.
#[derive(clap::Args, Debug)]
pub struct Force {
    /// The version that the database is at.
    #[arg(value_name = "V", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1..))]
    pub version: i64,
    /// Why; kept in the history.
    #[arg(long, value_name = "TEXT", default_value = "strata force")]
    pub reason: String,
}

/// Options of `version`.
#[derive(clap::Args, Debug)]
pub struct Version {
    /// Exit with 1 where there is none, as golang-migrate does.
    #[arg(long)]
    pub strict: bool,
}

/// Options of `up`.
#[derive(clap::Args, Debug)]
pub struct Up {
    /// At most so many versions.
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Stop at the end of this phase.
    #[arg(long, value_name = "PHASE", conflicts_with = "count")]
    pub to_phase: Option<i64>,
    /// Options of every move.
    #[command(flatten)]
    pub patience: Patience,
    /// Trying it first.
    #[command(flatten)]
    pub trial: Trial,
}

/// Options of `down`.
#[derive(clap::Args, Debug)]
pub struct Down {
    /// How many versions.
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
    /// Every version; asks, or needs --yes.
    #[arg(long, conflicts_with = "count")]
    pub all: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Options of every move.
    #[command(flatten)]
    pub patience: Patience,
    /// Trying it first.
    #[command(flatten)]
    pub trial: Trial,
}

/// How long a move waits for others.
#[derive(clap::Args, Debug)]
pub struct Patience {
    /// Longest that a step may wait for a table lock, and make writers wait behind it; it is then tried again.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = strata_core::run::LOCK_TIMEOUT_MS, value_parser = clap::value_parser!(u32).range(1..=2_000_000_000))]
    pub table_lock_timeout: u32,
    /// How long a step tries to get its table locks, pauses and all, before it gives up.
    #[arg(long, value_name = "SECONDS", default_value_t = strata_core::run::TABLE_LOCK_PATIENCE.as_secs())]
    pub table_lock_patience: u64,
    /// Longest that a concurrent index build, drop, reindex or detach may wait for one other transaction. Nobody waits
    /// behind it meanwhile; 0 has no end.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=2_000_000))]
    pub index_wait: u64,
}

impl Patience {
    /// Nobody has said otherwise.
    pub fn is_usual(&self) -> bool {
        (self.table_lock_timeout, self.table_lock_patience, self.index_wait)
            == (strata_core::run::LOCK_TIMEOUT_MS, strata_core::run::TABLE_LOCK_PATIENCE.as_secs(), 0)
    }
}

/// Trying a move without making it.
#[derive(clap::Args, Debug)]
pub struct Trial {
    /// Change nothing: try every step in one transaction that is rolled back, and show what each does, how long it takes
    /// and what it locks. Exits as the real one would.
    #[arg(long)]
    pub dry_run: bool,
    /// Longest that a dry run lets another session wait for it; it then undoes everything and says so.
    #[arg(long, value_name = "MILLISECONDS", requires = "dry_run", default_value_t = strata_core::run::GIVE_WAY_MS, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub give_way: u32,
    /// Longest that a dry run holds locks that nobody waits for; 0 has no end.
    #[arg(long, value_name = "SECONDS", requires = "dry_run", default_value_t = strata_core::run::HOLD.as_secs() as u32, value_parser = clap::value_parser!(u32).range(..=86_400))]
    pub dry_run_limit: u32,
}

impl Trial {
    /// Nobody has said how considerate it is to be.
    pub fn is_usual(&self) -> bool {
        (self.give_way, self.dry_run_limit)
            == (strata_core::run::GIVE_WAY_MS, strata_core::run::HOLD.as_secs() as u32)
    }
}

/// Options of `status`.
#[derive(clap::Args, Debug)]
pub struct Status {
    /// Exit with 3 when versions are pending.
    #[arg(long)]
    pub exit_code: bool,
}

/// Options of `sign-off`.
#[derive(clap::Args, Debug)]
pub struct SignOff {
    /// The item, as "strata checklist" shows it, such as 9.signed.
    #[arg(value_name = "ITEM")]
    pub item: String,
    /// What makes you sure of it; kept for ever, with your name and the time.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What proves it, a JSON object; a restored backup needs it.
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "withdraw")]
    pub evidence: Option<serde_json::Value>,
    /// Take the sign-off back.
    #[arg(long)]
    pub withdraw: bool,
}

/// Options of `finalize`.
#[derive(clap::Args, Debug)]
pub struct Finalize {
    /// Do not ask: nothing brings the copies back.
    #[arg(long)]
    pub yes: bool,
}

/// Options of `worker`.
#[derive(clap::Args, Debug)]
pub struct Worker {
    /// Do what there is to do now, then end; with the exit code of the first run that failed. For cron.
    #[arg(long)]
    pub once: bool,
    /// Do only this.
    #[arg(long, value_name = "TASK", value_enum)]
    pub only: Option<Task>,
    /// Rows a claim of the queue of embeddings; a call of the provider has as many, or fewer where it takes no more.
    #[arg(long, value_name = "ROWS", default_value_t = 100, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub batch: i32,
    /// Calls of providers at the same time.
    #[arg(long, value_name = "CALLS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub calls: u32,
    /// Answer /metrics for Prometheus and /health on this address, such as 127.0.0.1:9187.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<String>,
    /// Seconds between two looks for runs, and for jobs that nobody told of. Without it 1, with --rest 5.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub poll: Option<u32>,
    /// URL of the Supabase project, where only HTTP is open: embeddings alone, through its REST. STRATA_SECRET_KEY holds a
    /// secret key of the project.
    #[arg(long, value_name = "URL")]
    pub rest: Option<String>,
    /// Seconds after which an executor whose session does nothing is taken for hung: its session is ended and its run taken over.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub lease: u32,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Go on with runs.
    Runs,
    /// Drain the queue of embeddings.
    Embeddings,
}

/// Options of `embed`.
#[derive(clap::Args, Debug)]
pub struct Embed {
    /// Rows per call of the provider.
    #[arg(long, value_name = "ROWS", default_value_t = 100, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub batch: i32,
    /// Calls of providers at the same time.
    #[arg(long, value_name = "CALLS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub calls: u32,
    /// URL of the Supabase project, where only HTTP is open: through its REST. STRATA_SECRET_KEY holds a secret key of the
    /// project.
    #[arg(long, value_name = "URL")]
    pub rest: Option<String>,
}

impl Command {
    /// The project whose REST it is to go through.
    pub fn rest(&self) -> Option<&str> {
        match self {
            Command::Worker(worker) => worker.rest.as_deref(),
            Command::Embed(embed) => embed.rest.as_deref(),
            Command::Reindex(reindex) => reindex.embed.rest.as_deref(),
            _ => None,
        }
    }
}

/// Options of `reindex`.
#[derive(clap::Args, Debug)]
pub struct Reindex {
    /// Only these entity types.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Option<Vec<String>>,
    /// Only rows whose embedding is, by the model column beside it, of another model or of none.
    #[arg(long)]
    pub other_models: bool,
    /// How it is done.
    #[command(flatten)]
    pub embed: Embed,
}

/// Options of `search`.
#[derive(clap::Args, Debug)]
pub struct Search {
    /// What to look for, in plain language.
    pub text: String,
    /// Whose rows. Without it the caller's own, where row level security says who that is.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub user: Option<String>,
    /// Only rows of this organisation.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub organisation: Option<String>,
    /// How many hits, 1 to 1000.
    #[arg(short = 'k', long, value_name = "HITS", default_value_t = 10, allow_negative_numbers = true)]
    pub count: i32,
    /// Only these entity types.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Option<Vec<String>>,
    /// Only rows that are at least so similar, -1 to 1.
    #[arg(long, value_name = "SIMILARITY", allow_negative_numbers = true)]
    pub minimum: Option<f64>,
    /// Only rows whose metadata contain this object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub filter: Option<serde_json::Value>,
    /// Weights of entity types above 0, such as {"task": 1.5}; the others weigh 1.
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub weights: Option<serde_json::Value>,
    /// Prefer rows unlike those above them: 0, not at all, to 1.
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub diversity: Option<f64>,
    /// Share of the words beside the embedding: 0, embedding alone, to 1, words alone. Without it 0.5, where a source
    /// has a text search configuration.
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub text_weight: Option<f64>,
    /// Only rows created in the last so many days.
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    pub days: Option<i32>,
}

fn source(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("file://") {
        Some(folder) if !folder.is_empty() => Ok(folder.into()),
        _ => Err(format!("\"{text}\" is not file://DIR")),
    }
}

/// Options of `locks`. The role sees what Postgres lets it see of others.
#[derive(clap::Args, Debug)]
pub struct Locks {
    /// Show it again every two seconds.
    #[arg(long)]
    pub watch: bool,
    /// Cancel the statement of this session.
    #[arg(long, value_name = "PID", conflicts_with_all = ["watch", "terminate"])]
    pub cancel: Option<i32>,
    /// End this session, and with it its transaction.
    #[arg(long, value_name = "PID", conflicts_with = "watch")]
    pub terminate: Option<i32>,
    /// Confirm --cancel or --terminate; on a terminal you are asked.
    #[arg(long)]
    pub yes: bool,
    /// Also a session for which nobody waits.
    #[arg(long)]
    pub force: bool,
}

/// The model that is there out of the box.
pub const DEFAULT_MODEL: &str = "all-MiniLM-L6-v2";

/// Options of `eval`.
#[derive(clap::Args, Debug)]
pub struct Eval {
    /// Folder in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/test.tsv.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Other judgements.
    #[arg(long, value_name = "FILE")]
    pub qrels: Option<PathBuf>,
    /// Ways to search: by embedding, by words, by both.
    #[arg(long, value_name = "MODE", value_delimiter = ',', default_values = ["vector", "text", "hybrid"])]
    pub modes: Vec<Mode>,
    /// Shares of the words in a hybrid search, each from 0 to 1; one line of the result for each.
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_values = ["0.5"], value_parser = share)]
    pub text_weight: Vec<f64>,
    /// Hits of each question that count, 1 to 1000.
    #[arg(short = 'k', long, value_name = "HITS", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub count: i32,
    /// The model that embeds.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    pub model: String,
    /// The text search configuration of Postgres that finds words.
    #[arg(long, value_name = "NAME", default_value = "english")]
    pub text_search_config: String,
}

/// A way to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// By embedding.
    Vector,
    /// By words.
    Text,
    /// By both.
    Hybrid,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::Vector => "vector",
            Mode::Text => "text",
            Mode::Hybrid => "hybrid",
        })
    }
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1 is expected".to_owned()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("\"{text}\" is not NAME=VALUE")),
    }
}

fn object(text: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err("a JSON object is expected, such as {\"name\": \"value\"}".to_owned()),
        Err(cause) => Err(format!("this is no JSON: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in [
            &["strata", "up", "0"][..],
            &["strata", "up", "1", "2"],
            &["strata", "up", "--set", "x"],
            &["strata", "up", "--give-way", "9"],
            &["strata", "up", "--dry-run", "--give-way", "0"],
            &["strata", "down", "--all", "2"],
            &["strata", "goto", "-1"],
            &["strata", "force", "-2"],
            &["strata", "create", "x", "--seq", "--format", "unix"],
            &["strata", "up", "--source", "github://x/y"],
            &["strata", "up", "--adopt", "t", "--no-adopt"],
            &["strata", "up", "--pack", "a", "--path", "b"],
            &["strata", "search", "x", "--filter", "[]"],
            &["strata", "search", "x", "--text-weight", "2"],
            &["strata", "eval"],
            &["strata", "eval", "x", "--modes", "magic"],
            &["strata", "eval", "x", "-k", "0"],
            &["strata", "sign-off", "9.signed"],
            &["strata", "sign-off", "9.signed", "--reason", "x", "--evidence", "1"],
            &["strata", "sign-off", "9.signed", "--reason", "x", "--evidence", "{", "--withdraw"],
            &["strata", "locks", "--cancel", "1", "--terminate", "2"],
        ] {
            assert_eq!(Args::try_parse_from(bad).expect_err("refused").exit_code(), 2, "{bad:?}");
        }
    }
}
