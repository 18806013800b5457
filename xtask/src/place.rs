//! Where things lie: the checkout, the cache that all checkouts share, and the folder that is this checkout's own.

use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Context, Failure, Result};
use crate::user;

/// The file that says in a checkout's part of the cache where the checkout is.
pub const CHECKOUT: &str = "checkout";

/// The folders of one invocation.
#[derive(Clone, Debug)]
pub struct Place {
    /// The repository.
    pub checkout: PathBuf,
    /// Shared by every checkout: PostgreSQL, tools, models, sources.
    pub cache: PathBuf,
    /// This checkout's part of the cache: overlays, clusters, logs.
    pub own: PathBuf,
}

impl Place {
    /// Finds the folders and makes those of the cache.
    pub fn find() -> Result<Self> {
        let checkout = checkout()?;
        let cache = cache_root()?;
        let own = cache.join("checkouts").join(checkout_hash(&checkout));
        public_dir(&own)?;
        write_if_changed(&own.join(CHECKOUT), format!("{}\n", checkout.display()).as_bytes())?;
        Ok(Self { checkout, cache, own })
    }

    /// Where the output of a quiet child goes.
    pub fn log(&self, name: &str) -> Result<PathBuf> {
        let folder = self.own.join("logs");
        public_dir(&folder)?;
        Ok(folder.join(format!("{name}.log")))
    }

    /// Waits for the lock of that name in the cache; it is held until the file is dropped.
    pub fn lock(&self, name: &str) -> Result<File> {
        lock_file(&self.cache.join("locks"), name)
    }

    /// Waits for the lock of that name that only this checkout knows.
    pub fn own_lock(&self, name: &str) -> Result<File> {
        lock_file(&self.own.join("locks"), name)
    }
}

fn lock_file(folder: &Path, name: &str) -> Result<File> {
    public_dir(folder)?;
    let path = folder.join(name);
    let file = File::create(&path).context(|| format!("create {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("waiting for another run that holds {}", path.display());
        file.lock().context(|| format!("lock {}", path.display()))?;
    }
    Ok(file)
}

/// The repository: the folder above this crate, as cargo tells it now or told it when it compiled us.
fn checkout() -> Result<PathBuf> {
    let crate_dir = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let above = Path::new(&crate_dir).join("..");
    above.canonicalize().context(|| format!("find the checkout at {}", above.display()))
}

/// `STRATA_CACHE`, else a system folder for root (whose home the servers' user cannot enter), else the user's.
fn cache_root() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("STRATA_CACHE") {
        return std::path::absolute(folder).context(|| "read STRATA_CACHE".into());
    }
    if user::is_root()? {
        return Ok("/var/cache/strata".into());
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|folder| folder.join("strata")).ok_or_else(|| {
        Failure::new("there is no home folder for a cache").hint("set STRATA_CACHE to a folder")
    })
}

/// Twelve hexadecimal digits of the path's SHA-256: short, because socket paths must be.
pub fn checkout_hash(checkout: &Path) -> String {
    hex(&Sha256::digest(checkout.as_os_str().as_encoded_bytes()))[..12].to_string()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub fn file_sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).context(|| format!("open {}", path.display()))?;
    let mut digest = Sha256::new();
    std::io::copy(&mut file, &mut digest).context(|| format!("read {}", path.display()))?;
    Ok(hex(&digest.finalize()))
}

/// Makes a folder and its missing parents, readable by the servers' user whatever the umask is.
pub fn public_dir(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        public_dir(parent)?;
    }
    match fs::create_dir(folder) {
        Err(reason) if reason.kind() != std::io::ErrorKind::AlreadyExists => Err(reason),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o755)),
    }
    .context(|| format!("make the folder {}", folder.display()))
}

/// Writes a file only when its bytes differ, so that nobody who watches its time is woken for nothing.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).context(|| format!("write {}", path.display()))
}

/// Removes a folder that may not be there.
pub fn remove_dir(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => Err(reason),
        _ => Ok(()),
    }
    .context(|| format!("remove {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_checkouts_have_two_short_hashes() {
        let (one, two) = (checkout_hash(Path::new("/a")), checkout_hash(Path::new("/b")));
        assert_eq!(one.len(), 12);
        assert_ne!(one, two);
        assert_eq!(one, checkout_hash(Path::new("/a")));
    }

    #[test]
    fn hexadecimal_keeps_leading_zeros() {
        assert_eq!(hex(&[0, 1, 255]), "0001ff");
    }
}
