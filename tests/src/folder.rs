//! A pack in a temporary folder that goes away with the test.

use crate::database::unique;
use std::path::{Path, PathBuf};

/// A folder of files.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one; the pack in it is called `pack`.
    pub fn empty() -> Self {
        let path = std::env::temp_dir().join(unique("strata_test")).join("pack");
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// One with these files: name and text.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let folder = Folder::empty();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// Writes a file, or writes it anew.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.0.join(name)).unwrap();
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}
