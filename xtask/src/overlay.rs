//! A moved copy of a PostgreSQL for one checkout: extensions can be installed into it and nobody else sees them.
//!
//! PostgreSQL finds its folders relative to the program that runs (`make_relative_path`), so programs are copied
//! and everything else is a farm of symbolic links in the same layout.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Context, Failure, Result};
use crate::installation::Installation;
use crate::place;

/// What an overlay leaves out of the PostgreSQL that it copies.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A `strata` that somebody installed there: ours comes in its place.
    Full,
    /// pgvector too, to see what happens without it.
    Bare,
}

impl Kind {
    fn leaves_out(self, name: &str) -> bool {
        let belongs = |extension: &str| {
            let rest = name.strip_prefix(extension);
            rest.is_some_and(|rest| rest.starts_with(['.', '-']))
        };
        belongs("strata") || (matches!(self, Self::Bare) && belongs("vector"))
    }
}

/// Bumped when the layout below changes, so that old overlays are built again.
const LAYOUT: &str = "1";

/// Written last.
const STAMP: &str = "strata-overlay";

/// Makes or refreshes the overlay at `root` and returns the PostgreSQL in it.
pub fn ensure(original: &Installation, root: &Path, kind: Kind) -> Result<Installation> {
    let moved = Moved { from: common_root(original), to: root.to_path_buf() };
    let pg_config = moved.path(&original.pg_config());
    if is_current(original, root)? {
        return Installation::ask(&pg_config);
    }
    place::remove_dir(root)?;
    Farm { original, moved: &moved, kind }.plant()?;
    let copy = Installation::ask(&pg_config)?;
    verify(&copy, root)?;
    place::write_if_changed(&root.join(STAMP), stamp(original)?.as_bytes())?;
    Ok(copy)
}

/// Whether the overlay at `root` is finished and was made of this very PostgreSQL.
pub fn is_current(original: &Installation, root: &Path) -> Result<bool> {
    let now = stamp(original)?;
    Ok(fs::read_to_string(root.join(STAMP)).is_ok_and(|then| then == now))
}

/// The longest folder that holds the programs, the modules and the shared files.
fn common_root(original: &Installation) -> PathBuf {
    let mut root = original.bin.clone();
    while !(original.pkglib.starts_with(&root) && original.share.starts_with(&root)) {
        root.pop();
    }
    root
}

/// Paths below one folder, seen below another.
struct Moved {
    from: PathBuf,
    to: PathBuf,
}

impl Moved {
    /// The same place in the copy; places outside of it stay where they are.
    fn path(&self, original: &Path) -> PathBuf {
        match original.strip_prefix(&self.from) {
            Ok(below) => self.to.join(below),
            Err(_) => original.to_path_buf(),
        }
    }
}

struct Farm<'a> {
    original: &'a Installation,
    moved: &'a Moved,
    kind: Kind,
}

impl Farm<'_> {
    fn plant(&self) -> Result<()> {
        self.copy_programs()?;
        self.link_entries(&self.original.pkglib)?;
        self.link_entries(&self.original.extensions())?;
        self.link_entries(&self.original.share)?;
        for folder in self.original.others.iter().chain([&self.original.server_headers]) {
            self.link(folder, &self.moved.path(folder))?;
        }
        Ok(())
    }

    /// Copies, because a program that follows a link to its real place would look for its files there.
    fn copy_programs(&self) -> Result<()> {
        let bin = self.moved.path(&self.original.bin);
        place::public_dir(&bin)?;
        for program in entries(&self.original.bin)? {
            let target = bin.join(program.file_name().unwrap_or_default());
            fs::copy(&program, &target).context(|| format!("copy {}", program.display()))?;
        }
        Ok(())
    }

    /// A real folder whose entries are links; entries that are there already stay.
    fn link_entries(&self, folder: &Path) -> Result<()> {
        place::public_dir(&self.moved.path(folder))?;
        for entry in entries(folder)? {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !self.kind.leaves_out(&name) {
                self.link(&entry, &self.moved.path(folder).join(name))?;
            }
        }
        Ok(())
    }

    fn link(&self, original: &Path, target: &Path) -> Result<()> {
        if target.exists() || !original.exists() {
            return Ok(());
        }
        if let Some(parent) = target.parent() {
            place::public_dir(parent)?;
        }
        symlink(original, target).context(|| format!("link {}", target.display()))
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listing = fs::read_dir(folder).context(|| format!("list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// Changes when the original is replaced, or gains or loses an extension.
fn stamp(original: &Installation) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(LAYOUT);
    for folder in [&original.bin, &original.pkglib, &original.share, &original.extensions()] {
        for entry in entries(folder)? {
            let about = entry.symlink_metadata().context(|| format!("look at {}", entry.display()))?;
            let size = if about.is_dir() { 0 } else { about.len() };
            let time = if about.is_dir() { 0 } else { about.mtime() };
            digest.update(format!("{} {size} {time}\n", entry.display()));
        }
    }
    Ok(format!("{}\n{}\n", original.bin.display(), place::hex(&digest.finalize())))
}

/// The copy must name its own folders, or an extension would land in the original.
fn verify(copy: &Installation, root: &Path) -> Result<()> {
    let strays = [&copy.bin, &copy.pkglib, &copy.share].into_iter().find(|folder| !folder.starts_with(root));
    match strays {
        None => Ok(()),
        Some(folder) => {
            Err(Failure::new(format!("this PostgreSQL cannot be moved: it still uses {}", folder.display()))
                .hint("name another one with PG_CONFIG=/path/to/pg_config"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    fn installation(bin: &str, pkglib: &str, share: &str) -> Installation {
        let (bin, pkglib, share) = (bin.into(), pkglib.into(), share.into());
        let (server_headers, others) = (PathBuf::new(), Vec::new());
        Installation { version: Version::new(17, 0), bin, pkglib, share, server_headers, others }
    }

    #[test]
    fn a_debian_layout_is_mirrored_below_usr() {
        let debian = installation(
            "/usr/lib/postgresql/17/bin",
            "/usr/lib/postgresql/17/lib",
            "/usr/share/postgresql/17",
        );
        let moved = Moved { from: common_root(&debian), to: "/cache/pg".into() };
        assert_eq!(moved.from, Path::new("/usr"));
        assert_eq!(moved.path(&debian.share), Path::new("/cache/pg/share/postgresql/17"));
        assert_eq!(moved.path(Path::new("/etc/x")), Path::new("/etc/x"));
    }

    #[test]
    fn a_prefix_of_its_own_is_mirrored_whole() {
        let private = installation("/opt/pg/bin", "/opt/pg/lib", "/opt/pg/share");
        assert_eq!(common_root(&private), Path::new("/opt/pg"));
    }

    #[test]
    fn ours_is_left_out_everywhere_and_pgvector_of_the_bare_one() {
        for name in ["strata.so", "strata.control", "strata--0.1.0.sql"] {
            assert!(Kind::Full.leaves_out(name), "{name}");
        }
        assert!(Kind::Bare.leaves_out("vector.control") && !Kind::Full.leaves_out("vector--0.8.0.sql"));
        assert!(!Kind::Bare.leaves_out("vectorized.so") && !Kind::Full.leaves_out("stratagem.so"));
    }
}
