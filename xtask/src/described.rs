//! Requests that schemathesis makes up from the Edge Function's own description, thousands of odd ones: none may be answered with a
//! failure of ours, or with something that is not described.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Context, Failure, Result};
use crate::model;
use crate::place::{self, Place};
use crate::run;
use crate::stack::Stack;

/// What every answer is held against. Whether odd data is refused is ours to say: a pack of any name may be asked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
    unsupported_method,allow_header_conformance,ignored_auth";

/// Requests of each kind for each route.
const EXAMPLES: &str = "40";

/// Asks a running project, as a service.
pub fn hold(place: &Place, stack: &Stack) -> Result<()> {
    let folder = ensure(place)?;
    let base = format!("{}/functions/v1/strata", stack.url());
    let mut command = Command::new("python3");
    command
        .arg(folder.join("bin/st"))
        .args(["run", &format!("{base}/openapi.json"), "--url", &base, "--checks", CHECKS])
        // The same requests each time: what fails here fails at whoever looks for it.
        .args([
            "--seed",
            "1",
            "--max-examples",
            EXAMPLES,
            "--request-timeout",
            "60",
            "--warnings",
            "off",
            "--no-color",
        ])
        .args(["--header", &format!("apikey: {}", stack.secret_key()?)])
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(
            place::public_dir(&place.cache.join("python/work")).map(|()| place.cache.join("python/work"))?,
        );
    run::loud(&mut command)
}

/// Where it is installed, whole or not at all.
fn ensure(place: &Place) -> Result<PathBuf> {
    let _alone = place.lock("python")?;
    let pins = place.checkout.join("edge/stack/requirements.txt");
    let text = fs::read(&pins).context(|| format!("read {}", pins.display()))?;
    let folder = place.cache.join("python").join(&place::hex(&Sha256::digest(text))[..12]);
    if folder.is_dir() {
        return Ok(folder);
    }
    let part = place.cache.join("python/unfinished");
    place::remove_dir(&part)?;
    place::public_dir(&part)?;
    let mut pip = model::pip()?;
    pip.args(["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"])
        .arg("--target")
        .arg(&part)
        .arg("-r")
        .arg(&pins);
    run::quiet("setup: fetching schemathesis (40 MB, once)", &place.log("schemathesis")?, &mut pip)
        .map_err(|failure| failure.hint("pip needs an index that has it, and Python 3.10 or newer"))?;
    if !part.join("bin/st").is_file() {
        return Err(Failure::new("pip left no schemathesis"));
    }
    fs::rename(&part, &folder).context(|| format!("put {} in place", folder.display()))?;
    Ok(folder)
}
