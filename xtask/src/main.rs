//! The command menu of the project. A newcomer needs a Rust toolchain and this.

mod api;
mod bench;
mod cargo_pgrx;
mod clean;
mod cluster;
mod db;
mod demo;
mod described;
mod edge;
mod edge_tests;
mod error;
mod errors;
mod extension;
mod guard;
mod imports;
mod installation;
mod model;
mod npm;
mod overlay;
mod packages;
mod pgrx_tests;
mod place;
mod postgres;
mod regression_sql;
mod run;
mod setup;
mod soak;
mod source_build;
mod sources;
mod stack;
mod system;
mod test;
mod toolchain;
mod user;
mod version;
mod versions;
mod whole;
mod workbench;

use std::path::Path;
use std::process::ExitCode;

use error::{Failure, Result};

const MENU: &str = "\
cargo xtask <verb>

  setup                 brings what is missing: packages, PostgreSQL with pgvector, cargo-pgrx, the model
  demo                  migrates an application, embeds its texts, answers three questions
     --stop             stops its cluster and removes the data
  test [stage ..] [-- filter ..]
                        every proof: format clippy imports unit versions pg edge whole; whole/search: one program of it
  db                    starts the development cluster and prints its URL
     --fresh            begins anew
     --stop             stops it
     --without-extension  with pgvector only
  edge [--json]         builds the Edge Function as it is deployed, and says how large it is
  stack [--json]        runs a Supabase project: PostgreSQL, PostgREST, gateway, the Edge Function; prints URLs and keys
  bench engine|search|embed|edge [--json]
                        ratios of two things in one run, on PostgreSQL without assertions: benches/README.md
  soak                  kills runs at random moments and checks what becomes of them
     --minutes N        for so long; 10 without it
     --seed S           the same kills again
  clean                 removes from the cache what belongs to checkouts that are gone
  api                   writes the Edge Function's OpenAPI description and its types for TypeScript
  errors                writes the table of docs/errors.md from the core's enum

Everything goes into the cache: STRATA_CACHE, else /var/cache/strata for root, else ~/.cache/strata.
PG_CONFIG names a PostgreSQL to use; STRATA_MODEL_DIR a folder that holds the model.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[String]) -> Result<()> {
    let (verb, rest) = words.split_first().map_or(("help", words), |(verb, rest)| (verb.as_str(), rest));
    match (verb, rest) {
        ("setup", []) => setup::all(),
        ("db", rest) => db::run(db::Wish::parse(rest)?),
        ("demo", rest) => demo::run(rest),
        ("test", rest) => test::run(rest),
        ("edge", rest) => edge::run(rest),
        ("stack", rest) => stack::run(rest),
        ("bench", rest) => bench::run(rest),
        ("soak", rest) => soak::run(&soak::Wish::parse(rest)?),
        ("clean", []) => clean::run(),
        ("errors", []) => errors::write(),
        ("api", []) => api::write(),
        ("guard", [folder]) => guard::watch(Path::new(folder)),
        ("help" | "--help" | "-h", _) => {
            println!("{MENU}");
            Ok(())
        }
        _ => Err(Failure::new(format!("there is no verb `{}`", words.join(" "))).hint("cargo xtask help")),
    }
}
