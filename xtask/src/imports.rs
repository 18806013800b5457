//! The import rules: what the core may lean on, that it compiles without an operating system, and that no door
//! leans on another door.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::error::{Context, Failure, Result};
use crate::run;
use crate::toolchain;
use crate::workbench::Bench;

/// The target of the Edge Function.
pub const WASM: &str = "wasm32-unknown-unknown";

/// Packages that callers enter by. None of them is a library for another.
const DOORS: [&str; 3] = ["strata", "strata-cli", "strata-edge"];

/// Checks all three.
pub fn check(bench: &Bench) -> Result<()> {
    let cargo = || {
        let mut command = run::cargo();
        command.current_dir(&bench.place.checkout);
        command
    };
    core_leans_on_what_is_listed(bench, cargo())?;
    doors_are_apart(&cargo)?;
    toolchain::ensure_target(WASM)?;
    run::loud(cargo().args(["build", "-p", "strata-core", "--target", WASM]))
}

fn core_leans_on_what_is_listed(bench: &Bench, mut cargo: Command) -> Result<()> {
    let path = bench.place.checkout.join("xtask/core-deps.txt");
    let list = fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
    let tree = run::read(cargo.args(["tree", "-p", "strata-core", "-e", "normal", "--prefix", "none"]))?;
    match difference(&listed(&list), &packages(&tree)) {
        None => Ok(()),
        Some(difference) => Err(Failure::new(format!(
            "strata-core leans on other crates than xtask/core-deps.txt: {difference}"
        ))
        .hint("drop the dependency, or list it there with the reason in the commit")),
    }
}

fn doors_are_apart(cargo: &dyn Fn() -> Command) -> Result<()> {
    let members =
        packages(&run::read(cargo().args(["tree", "--workspace", "--depth", "0", "--prefix", "none"]))?);
    for door in DOORS.iter().filter(|door| members.contains(**door)) {
        let tree = packages(&run::read(cargo().args(["tree", "-p", door, "-e", "all", "--prefix", "none"]))?);
        if let Some(other) = DOORS.iter().find(|other| *other != door && tree.contains(**other)) {
            return Err(Failure::new(format!("the door `{door}` imports the door `{other}`"))
                .hint("what both need belongs into strata-core"));
        }
    }
    Ok(())
}

/// The names in an allow list; `#` begins a comment.
fn listed(list: &str) -> BTreeSet<String> {
    list.lines()
        .filter_map(|line| line.split('#').next()?.split_whitespace().next())
        .map(String::from)
        .collect()
}

/// The names in the output of `cargo tree --prefix none`.
fn packages(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
}

/// What is too much (+) and what is listed in vain (-).
fn difference(listed: &BTreeSet<String>, found: &BTreeSet<String>) -> Option<String> {
    let more = found.difference(listed).map(|name| format!("+{name}"));
    let less = listed.difference(found).map(|name| format!("-{name}"));
    let all: Vec<String> = more.chain(less).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_of_a_difference_are_told() {
        let list = listed("# why\nserde\nsha2 # hashes\n\n");
        assert_eq!(difference(&list, &packages("serde v1.0.1\nsha2 v0.10.9 (*)\n")), None);
        assert_eq!(
            difference(&list, &packages("serde v1.0.1\nrand v0.9.0\n")).as_deref(),
            Some("+rand -sha2")
        );
    }
}
