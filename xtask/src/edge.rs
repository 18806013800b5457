//! `cargo xtask edge`: the folder that `supabase functions deploy strata` takes, and the size of what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Failure, Result};
use crate::imports::WASM;
use crate::place::{self, Place};
use crate::run;
use crate::toolchain;
use crate::whole;

/// Largest WebAssembly that is deployed, compressed. Unit: bytes.
const LIMIT: u64 = 400_000;

/// The function as it is deployed.
pub struct Built {
    /// The folder above `supabase/`.
    pub folder: PathBuf,
    /// Of the WebAssembly. Unit: bytes.
    pub raw: u64,
    /// The same compressed. Unit: bytes.
    pub gzip: u64,
}

impl Built {
    /// The function's own folder.
    pub fn function(&self) -> PathBuf {
        self.folder.join("supabase/functions/strata")
    }
}

/// Builds it and says how large it is.
pub fn run(words: &[String]) -> Result<()> {
    let json = run::wants_json("edge", words)?;
    let built = build(&Place::find()?)?;
    println!("{}", if json { as_json(&built) } else { as_text(&built) });
    if built.gzip > LIMIT {
        return Err(Failure::new(format!("{} bytes compressed are more than {LIMIT}", built.gzip)));
    }
    Ok(())
}

fn as_text(built: &Built) -> String {
    format!(
        "{}\nwasm {} bytes, gzip {} bytes (at most {LIMIT})\nsupabase functions deploy strata --workdir {0}",
        built.folder.display(),
        built.raw,
        built.gzip
    )
}

fn as_json(built: &Built) -> String {
    format!(
        "{{\"folder\":\"{}\",\"wasm_bytes\":{},\"gzip_bytes\":{},\"gzip_limit\":{LIMIT}}}",
        built.folder.display(),
        built.raw,
        built.gzip
    )
}

/// Compiles it (cargo decides what is to be done), and puts together what is deployed.
pub fn build(place: &Place) -> Result<Built> {
    let _alone = place.own_lock("edge")?;
    toolchain::ensure_target(WASM)?;
    let target = whole::target_folder(&place.checkout)?;
    compile(place)?;
    // Not `edge`: there cargo keeps what the profile of that name builds for this machine.
    let folder = target.join("function");
    place::remove_dir(&folder)?;
    copy_tree(&place.checkout.join("edge/supabase"), &folder.join("supabase"))?;
    let function = folder.join("supabase/functions/strata");
    let wasm = target.join(WASM).join("edge/strata_edge.wasm");
    let mut bindgen = run::cargo();
    bindgen.args(["run", "-p", "strata-bindgen", "--"]).arg(wasm).arg(&function);
    let title = "setup: writing the glue of the Edge Function";
    run::quiet(title, &place.log("bindgen")?, bindgen.current_dir(&place.checkout))?;
    // Its bytes are in strata_wasm.js; what is deployed has them once.
    let loose = folder.join("strata.wasm");
    fs::rename(function.join("strata_bg.wasm"), &loose).context(|| format!("move {}", loose.display()))?;
    let raw = loose.metadata().context(|| format!("look at {}", loose.display()))?.len();
    Ok(Built { gzip: compressed(&loose)?, raw, folder })
}

/// Where somebody built it is nobody's business: panics name the files without their folders.
fn compile(place: &Place) -> Result<()> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sysroot = run::read(std::process::Command::new("rustc").args(["--print", "sysroot"]))?;
    let folders =
        [(home, "cargo"), (Some(sysroot.trim().into()), "rust"), (Some(place.checkout.clone()), "")];
    let remap = |(folder, name): (Option<PathBuf>, &str)| {
        Some(format!("--remap-path-prefix={}=/{name}", folder?.display()))
    };
    let flags: Vec<String> = folders.into_iter().filter_map(remap).collect();
    let mut command = run::cargo();
    command
        .args(["build", "-p", "strata-edge", "--lib", "--target", WASM, "--profile", "edge"])
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .current_dir(&place.checkout);
    run::quiet("setup: compiling the Edge Function", &place.log("edge")?, &mut command)
}

fn compressed(file: &Path) -> Result<u64> {
    let mut command = std::process::Command::new("gzip");
    let output = command.args(["-9", "-c"]).arg(file).output().context(|| "start gzip".into())?;
    if !output.status.success() {
        return Err(Failure::new(format!("gzip failed ({})", output.status)));
    }
    Ok(output.stdout.len() as u64)
}

/// Copies a folder and what is below it.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    place::public_dir(to)?;
    for entry in fs::read_dir(from).context(|| format!("list {}", from.display()))? {
        let path = entry.context(|| format!("list {}", from.display()))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            fs::copy(&path, &target).context(|| format!("copy {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_to_people_and_to_programs() {
        let built = Built { folder: "/x".into(), raw: 3, gzip: 2 };
        assert!(as_text(&built).contains("gzip 2 bytes"));
        assert_eq!(as_json(&built), r#"{"folder":"/x","wasm_bytes":3,"gzip_bytes":2,"gzip_limit":400000}"#);
    }
}
