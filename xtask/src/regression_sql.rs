//! PostgreSQL's own regression scripts, out of the source tarball: the hardest SQL there is to cut into statements. They
//! are kept in the cache beside the servers, never in the checkout.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Context, Result};
use crate::place::{self, Place};
use crate::run;
use crate::source_build::POSTGRES;

/// Where they lie in the tarball.
const FOLDER: &str = "src/test/regress/sql";

/// The folder of the scripts: fetched and unpacked once, whole or not at all.
pub fn ensure(place: &Place) -> Result<PathBuf> {
    let _alone = place.lock("regression-sql")?;
    let folder = place.cache.join("regression-sql").join(POSTGRES.version);
    if folder.is_dir() {
        return Ok(folder);
    }
    let tarball = POSTGRES.fetch(place)?;
    let part = place.cache.join("regression-sql").join("unfinished");
    place::remove_dir(&part)?;
    place::public_dir(&part)?;
    let depth = format!("--strip-components={}", FOLDER.split('/').count() + 1);
    let only = format!("*/{FOLDER}/*.sql");
    let mut unpack = Command::new("tar");
    unpack.arg("xf").arg(&tarball.path).arg("-C").arg(&part).args([&depth, "--wildcards", &only]);
    run::read(&mut unpack)?;
    fs::rename(&part, &folder).context(|| format!("put {} in place", folder.display()))?;
    Ok(folder)
}
