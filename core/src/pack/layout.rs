//! Layouts of a folder: which file is which part of which version.

use super::File;
use crate::error::{Error, Kind};

/// How the files of a folder are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `NNN_name.up.sql`, `.down.sql`, `.verify.sql`.
    #[default]
    GolangMigrate,
    /// `NNN_name.sql`; what takes it back is `down/NNN_name.sql`, what verifies it `verify/NNN_name.sql`.
    Supabase,
}

/// The parts of a version.
pub const PARTS: [&str; 3] = ["up", "down", "verify"];

/// What the name of a file says.
#[derive(Debug, PartialEq, Eq)]
pub struct Place<'f> {
    /// Digits of the version, as they are written.
    pub digits: &'f str,
    /// What follows them.
    pub name: &'f str,
    /// One of [`PARTS`].
    pub part: &'static str,
}

impl Layout {
    /// Of these files. A folder of both layouts is refused: Supabase's tools would apply `x.down.sql` as a migration.
    pub fn of(files: &[File]) -> Result<Layout, Error> {
        let plain = files.iter().find(|(name, _)| !name.contains('/') && bare(name).is_some());
        let parted = files.iter().find(|(name, _)| name.ends_with(".up.sql") && numbered(name));
        match (plain, parted) {
            (Some((plain, _)), Some((parted, _))) => {
                let message =
                    format!("\"{plain}\" is in Supabase's layout and \"{parted}\" in golang-migrate's");
                Err(Error::new(Kind::BadPack, message).hint(format!(
                    "rename \"{plain}\" to {}, or move it out of the folder of migrations",
                    plain.replace(".sql", ".up.sql")
                )))
            }
            (Some(_), None) => Ok(Layout::Supabase),
            (None, _) => Ok(Layout::GolangMigrate),
        }
    }

    /// None for a file that is no migration.
    pub fn place(self, file: &str) -> Result<Option<Place<'_>>, Error> {
        let (folder, base) = file.rsplit_once('/').unwrap_or(("", file));
        if !base.ends_with(".sql") || !numbered(base) || (self == Layout::GolangMigrate && !folder.is_empty())
        {
            return Ok(None);
        }
        if file.contains(char::is_control) {
            let message = format!("file name \"{}\" has a control character in it", file.escape_debug());
            return Err(Error::new(Kind::BadPack, message).hint("rename it"));
        }
        let found = match (self, folder) {
            (Layout::Supabase, "") => bare(base).map(|(digits, name)| Place { digits, name, part: "up" }),
            (Layout::Supabase, _) => apart(folder, base),
            (Layout::GolangMigrate, _) => parted(base),
        };
        found.map(Some).ok_or_else(|| self.refused(file))
    }

    fn refused(self, file: &str) -> Error {
        let names = match self {
            Layout::GolangMigrate => "NNN_name.up.sql, .down.sql or .verify.sql",
            Layout::Supabase => "NNN_name.sql, down/NNN_name.sql or verify/NNN_name.sql",
        };
        Error::new(Kind::BadPack, format!("file name \"{file}\" is not {names}"))
            .hint("rename it, or move it out of the folder of migrations")
    }
}

fn numbered(file: &str) -> bool {
    file.starts_with(|c: char| c.is_ascii_digit())
}

fn part(word: &str) -> Option<&'static str> {
    PARTS.into_iter().find(|part| *part == word)
}

fn named(stem: &str) -> Option<(&str, &str)> {
    let (digits, name) = stem.split_once('_')?;
    (digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() && !name.is_empty())
        .then_some((digits, name))
}

/// `NNN_name.sql`, without a further dot.
fn bare(file: &str) -> Option<(&str, &str)> {
    named(file.strip_suffix(".sql")?).filter(|(_, name)| !name.contains('.'))
}

/// `NNN_name.up.sql`.
fn parted(file: &str) -> Option<Place<'_>> {
    let (stem, word) = file.strip_suffix(".sql")?.rsplit_once('.')?;
    let (digits, name) = named(stem)?;
    Some(Place { digits, name, part: part(word)? })
}

/// `NNN_name.sql` or `NNN_name.down.sql` in the folder `down`.
fn apart<'f>(folder: &str, file: &'f str) -> Option<Place<'f>> {
    let part = part(folder)?;
    let (digits, name) = match bare(file) {
        Some(bare) => bare,
        None => parted(file).filter(|place| place.part == part).map(|place| (place.digits, place.name))?,
    };
    Some(Place { digits, name, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(names: &[&str]) -> Result<Layout, Error> {
        Layout::of(&names.iter().map(|name| ((*name).to_owned(), String::new())).collect::<Vec<_>>())
    }

    #[test]
    fn a_folder_has_one_layout() {
        assert_eq!(layout(&["1_a.up.sql", "seed.sql", "README.md"]).expect("one"), Layout::GolangMigrate);
        assert_eq!(
            layout(&["20240101000000_a.sql", "down/20240101000000_a.sql"]).expect("one"),
            Layout::Supabase
        );
        let mixed = layout(&["1_a.up.sql", "2_b.sql"]).expect_err("both");
        assert!(mixed.to_string().contains("\"2_b.sql\" is in Supabase's layout"), "{mixed}");
    }

    #[test]
    fn a_down_of_supabase_lies_apart_under_either_name() {
        for file in ["down/0001_a.sql", "down/0001_a.down.sql"] {
            let place = Layout::Supabase.place(file).expect("fits").expect("a migration");
            assert_eq!(place, Place { digits: "0001", name: "a", part: "down" });
        }
        for file in ["down/0001_a.verify.sql", "0001_a.down.sql", "other/0001_a.sql", "0001.sql"] {
            assert_eq!(Layout::Supabase.place(file).expect_err(file).kind(), Kind::BadPack);
        }
    }
}
