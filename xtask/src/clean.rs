//! `cargo xtask clean`: removes from the cache what belongs to checkouts that are gone. Each has some hundred megabytes there:
//! a copy of PostgreSQL, clusters, logs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster;
use crate::error::{Context, Result};
use crate::place::{self, CHECKOUT, Place};
use crate::run;
use crate::setup::KEPT;

/// Does it. What the checkouts share, and what belongs to those that are there, stays.
pub fn run() -> Result<()> {
    let place = Place::find()?;
    let _alone = place.lock("clean")?;
    for (folder, checkout) in gone(&place.cache.join("checkouts"))? {
        match served(&folder) {
            Some(pid) => run::say(format!("clean: server {pid} still runs for {checkout}, which is gone")),
            None => {
                run::say(format!("clean: removing what {checkout} had, which is gone"));
                place::remove_dir(&folder)?;
            }
        }
    }
    Ok(())
}

/// Folders of checkouts that are no longer where they were, and where that was.
fn gone(checkouts: &Path) -> Result<Vec<(PathBuf, String)>> {
    let listing = fs::read_dir(checkouts).context(|| format!("list {}", checkouts.display()))?;
    let named = |folder: PathBuf| {
        let checkout = fs::read_to_string(folder.join(CHECKOUT)).ok()?.trim_end().to_string();
        (!Path::new(&checkout).exists()).then_some((folder, checkout))
    };
    Ok(listing.filter_map(|entry| named(entry.ok()?.path())).collect())
}

/// A server that has its data below this folder.
fn served(folder: &Path) -> Option<u32> {
    let throwaway = fs::read_dir(folder.join("clusters")).into_iter().flatten();
    let throwaway = throwaway.filter_map(|entry| Some(entry.ok()?.path().join("cluster")));
    let kept = KEPT.map(|name| folder.join(name));
    kept.into_iter().chain(throwaway).find_map(|home| cluster::postmaster(&home.join("data")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    #[test]
    fn only_what_a_checkout_that_is_gone_had_is_removed() {
        let checkouts = env::temp_dir().join(format!("strata-clean-{}", std::process::id()));
        for (name, checkout) in
            [("one", "/nowhere/at/all\n".to_string()), ("two", format!("{}\n", checkouts.display()))]
        {
            fs::create_dir_all(checkouts.join(name)).unwrap();
            fs::write(checkouts.join(name).join(CHECKOUT), checkout).unwrap();
        }
        fs::create_dir_all(checkouts.join("unnamed")).unwrap();
        let gone = gone(&checkouts).unwrap();
        fs::remove_dir_all(&checkouts).unwrap();
        assert_eq!(gone, [(checkouts.join("one"), "/nowhere/at/all".to_string())]);
    }

    #[test]
    fn a_folder_without_clusters_is_not_served() {
        assert_eq!(served(Path::new("/nowhere")), None);
    }
}
