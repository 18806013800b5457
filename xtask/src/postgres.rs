//! Which PostgreSQL we use: the one that is there, else the system's packages, else one that we build.

use std::env;
use std::path::Path;

use crate::error::{Failure, Result};
use crate::installation::Installation;
use crate::packages;
use crate::place::Place;
use crate::run;
use crate::source_build::{self, Flavour};
use crate::system::Release;

/// The PostgreSQL of this machine; installs or builds one when there is none that fits.
pub fn choose(place: &Place) -> Result<Installation> {
    choose_for(place, Flavour::Checked)
}

/// The same for benchmarks, never with assertions where the choice is ours.
pub fn choose_for(place: &Place, flavour: Flavour) -> Result<Installation> {
    if let Some(named) = env::var_os("PG_CONFIG").filter(|value| !value.is_empty()) {
        return named_by_the_person(Path::new(&named));
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    if let Some(built) = source_build::built(place, flavour) {
        return Ok(built);
    }
    if let Some(packaged) = packages::postgres(&Release::here())? {
        return Ok(packaged);
    }
    source_build::build(place, flavour)
}

/// `PG_CONFIG` is an order: one that does not fit is an error, not a reason to look elsewhere.
fn named_by_the_person(pg_config: &Path) -> Result<Installation> {
    let found = Installation::ask(pg_config)?;
    match found.refusal() {
        None => Ok(found),
        Some(why) => Err(Failure::new(format!("PG_CONFIG={} cannot be used: {why}", pg_config.display()))
            .hint("unset PG_CONFIG to let the set-up choose, or install what is missing there")),
    }
}

fn on_path() -> Option<Installation> {
    let path = env::var_os("PATH").unwrap_or_default();
    let pg_config =
        env::split_paths(&path).map(|folder| folder.join("pg_config")).find(|path| path.is_file())?;
    let found = Installation::ask(&pg_config).ok()?;
    match found.refusal() {
        None => Some(found),
        Some(why) => {
            run::say(format!(
                "setup: passing over PostgreSQL {} of {}: {why}",
                found.version,
                pg_config.display()
            ));
            None
        }
    }
}
