//! The Edge Function in a running project, seen by its clients: curl's and supabase-js's.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::cluster;
use crate::described;
use crate::edge::{self, Built};
use crate::error::{Context, Result};
use crate::extension;
use crate::npm::Tools;
use crate::place;
use crate::run;
use crate::setup::Server;
use crate::stack::Stack;
use crate::whole;
use crate::workbench::Bench;

/// Builds everything, starts a project, runs the tests in the folder `edge/tests`.
pub fn run(bench: &Bench) -> Result<()> {
    let server: &Server = bench.server()?;
    extension::install(&server.place, &server.pgrx, &server.postgres)?;
    style(bench, &Tools::ensure(&server.place)?)?;
    run::loud(run::cargo().args(["build", "-p", "strata-cli"]).current_dir(&bench.place.checkout))?;
    // The tests serve it themselves: a provider of embeddings that answers as it is told.
    let provider = cluster::free_port()?.to_string();
    let url = format!("http://127.0.0.1:{provider}/v1");
    let secrets = [
        ("OPENAI_BASE_URL", url),
        ("OPENAI_API_KEY", "provider-key".to_owned()),
        ("STRATA_PROVIDER_TIMEOUT", "5".to_owned()),
    ];
    let stack = Stack::start(server, &secrets)?;
    if bench.filter.is_empty() {
        described::hold(&server.place, &stack)?;
    }
    let folder = laid_out(&bench.place.checkout, &stack.built, &stack.tools)?;
    let mut command = stack.tools.deno();
    command
        .args(["test", "--quiet", "--allow-all"])
        .args(bench.filter.iter().map(|words| format!("--filter={words}")))
        .arg("tests")
        .current_dir(&folder)
        .env("STRATA_TEST_STACK", stack.json()?)
        .env("STRATA_TEST_PROVIDER", provider)
        .env("STRATA_TEST_PG", &server.postgres.bin)
        .env("STRATA_TEST_BIN", whole::target_folder(&bench.place.checkout)?.join("debug/strata"))
        .env("STRATA_TEST_SCHEDULE", bench.place.checkout.join("docs/schedule.md"))
        .env("STRATA_TEST_PACKS", bench.place.checkout.join("migrations"));
    run::loud(&mut command)
}

/// Our modules as `deno fmt` and `deno lint` want them.
fn style(bench: &Bench, tools: &Tools) -> Result<()> {
    let checkout = &bench.place.checkout;
    let folders = ["edge/stack", "edge/supabase", "edge/tests"];
    let mut format = tools.deno();
    format.args(["fmt", "--quiet", "--check", "--line-width=120"]).args(folders);
    run::loud(format.current_dir(checkout)).map_err(|failure| failure.hint("deno fmt --line-width=120"))?;
    let mut lint = tools.deno();
    lint.args(["lint", "--quiet", "--rules-exclude=no-import-prefix"]).args(folders);
    run::loud(lint.current_dir(checkout))
}

/// The tests beside the function that was built and the packages that were fetched: Deno finds these where Node would.
fn laid_out(checkout: &Path, built: &Built, tools: &Tools) -> Result<PathBuf> {
    let folder = built.folder.clone();
    edge::copy_tree(&checkout.join("edge/tests"), &folder.join("tests"))?;
    let manifest = folder.join("package.json");
    std::fs::copy(checkout.join("edge/stack/package.json"), &manifest)
        .context(|| format!("write {}", manifest.display()))?;
    let modules = folder.join("node_modules");
    place::remove_dir(&modules)?;
    symlink(tools.modules(), &modules).context(|| format!("link {}", modules.display()))?;
    Ok(folder)
}
