//! Databases that are dear to make are made once and copied. All test programs that run against a cluster share them:
//! the first to need one makes it while the others wait.

use crate::database::{Database, maintenance};
use crate::environment::{self, FULL};
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A database that is only copied.
pub struct Template {
    /// Its name.
    pub(crate) name: String,
}

/// The template of this kind, made by `make` if nobody has made it of the same programs and migrations yet.
pub fn shared(kind: &str, make: impl FnOnce(&Database)) -> Template {
    let name = format!("strata_template_{kind}_{:016x}", *FINGERPRINT);
    let mut session = maintenance(&FULL);
    session.execute("select pg_advisory_lock(hashtextextended($1, 0))", &[&name]).unwrap();
    let there = session.query("select from pg_database where datname = $1", &[&name]).unwrap();
    if there.is_empty() {
        let database = Database::empty();
        make(&database);
        let made = database.release();
        session.batch_execute(&format!("alter database {made} rename to {name}")).unwrap();
        session.batch_execute(&format!("alter database {name} with allow_connections false")).unwrap();
    }
    // The lock ends with the session.
    Template { name }
}

/// Of everything that a template is made from: a cluster may live longer than a build.
static FINGERPRINT: LazyLock<u64> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    let mut files = vec![environment::strata()];
    files.extend(extension_files());
    files.extend(files_below(&environment::migrations()));
    for file in files {
        hasher.write(file.as_os_str().as_encoded_bytes());
        hasher.write(&std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())));
    }
    hasher.finish()
});

fn extension_files() -> Vec<PathBuf> {
    let folder = |flag: &str| {
        let told = Command::new(environment::program("pg_config")).arg(flag).output().unwrap();
        PathBuf::from(String::from_utf8(told.stdout).unwrap().trim())
    };
    let ours =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("strata"));
    let mut files = files_in(&folder("--sharedir").join("extension"));
    files.extend(files_in(&folder("--pkglibdir")));
    files.into_iter().filter(ours).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files.sort();
    files
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}
