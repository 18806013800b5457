//! Parts of the Rust toolchain that a minimal installation leaves out.

use std::process::Command;

use crate::error::{Failure, Result};
use crate::run;
use crate::system;

/// Makes sure of `rustfmt` (bindgen calls it too) or `clippy`.
pub fn ensure_component(name: &str) -> Result<()> {
    let program = if name == "clippy" { "clippy-driver" } else { name };
    if run::succeeds(Command::new(program).arg("--version")) {
        return Ok(());
    }
    rustup(&["component", "add", name])
}

/// Makes sure that the active toolchain compiles for a target.
pub fn ensure_target(target: &str) -> Result<()> {
    let sysroot = run::read(Command::new("rustc").args(["--print", "sysroot"]))?;
    let libraries = std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("lib");
    if libraries.is_dir() {
        return Ok(());
    }
    rustup(&["target", "add", target])
}

fn rustup(words: &[&str]) -> Result<()> {
    let typed = format!("rustup {}", words.join(" "));
    if !system::program_is_there("rustup") {
        return Err(Failure::new(format!(
            "this Rust toolchain lacks `{}` and there is no rustup",
            words.join(" ")
        ))
        .hint("install it from where the toolchain came"));
    }
    run::say(format!("setup: {typed}"));
    run::loud(Command::new("rustup").args(words))
        .map_err(|failure| failure.hint(format!("try by hand: {typed}")))
}
