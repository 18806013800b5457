//! Finding a pack on disk and reading its files. The only reader of files besides the model's.

use crate::args::Args;
use std::path::{Path, PathBuf};
use strata_core::pack::{File, Pack};
use strata_core::upload::{MANIFEST, Upload};
use strata_core::{Error, Kind};

/// The pack that the arguments name, with the values that they give to its variables.
pub fn read(args: &Args) -> Result<Pack, Error> {
    let folder = find(args)?;
    let mut pack = read_folder(&folder)?;
    pack.given = args.set.iter().cloned().collect();
    Ok(pack)
}

/// The files of the pack that the arguments name.
pub fn upload(args: &Args) -> Result<Upload, Error> {
    read_files(&find(args)?)
}

/// The name under which the database knows the pack that the arguments name; its folder need not be at hand.
pub fn name(args: &Args) -> Result<String, Error> {
    match (read(args), &args.pack) {
        (Ok(pack), _) => Ok(pack.manifest.name),
        (Err(error), Some(name)) if error.kind() == Kind::UnknownPack => Ok(name.clone()),
        (Err(error), _) => Err(error),
    }
}

fn base() -> PathBuf {
    std::env::var_os("MIGRATION_DIR").map_or_else(|| PathBuf::from("migrations"), PathBuf::from)
}

fn find(args: &Args) -> Result<PathBuf, Error> {
    let (folder, said) = match (args.folder(), &args.pack) {
        (Some(path), _) => (path.clone(), path.display().to_string()),
        (None, Some(name)) => (base().join(name), name.clone()),
        (None, None) => return only_one(&base()),
    };
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(Error::new(
            Kind::UnknownPack,
            format!("pack \"{said}\" is not there: no folder {}", folder.display()),
        )
        .hint(hint(&base()))),
    }
}

fn hint(base: &Path) -> String {
    let names: Vec<String> =
        packs(base).iter().filter_map(|p| Some(p.file_name()?.to_str()?.to_owned())).collect();
    match names.is_empty() {
        true => "name its folder with --path, or the folder above it with MIGRATION_DIR".to_owned(),
        false => format!("there are: {}", names.join(", ")),
    }
}

/// Without a name: the base folder itself, or the only pack in it.
fn only_one(base: &Path) -> Result<PathBuf, Error> {
    if is_pack(base) {
        return Ok(base.to_owned());
    }
    match packs(base).as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(Kind::UnknownPack, format!("no pack in {}", base.display())).hint(hint(base))),
        several => {
            let count = several.len();
            Err(Error::new(
                Kind::BadArgument,
                format!("{} holds {count} packs, and none is named", base.display()),
            )
            .hint(format!("say --pack; {}", hint(base))))
        }
    }
}

fn packs(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut packs: Vec<PathBuf> = entries.filter(|path| path.is_dir() && is_pack(path)).collect();
    packs.sort();
    packs
}

fn is_pack(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| {
        let name = entry.file_name();
        name == "pack.toml" || name.to_string_lossy().ends_with(".up.sql")
    })
}

fn read_folder(folder: &Path) -> Result<Pack, Error> {
    read_files(folder)?.pack()
}

fn read_files(folder: &Path) -> Result<Upload, Error> {
    let manifest = folder.join(MANIFEST);
    let manifest = match manifest.is_file() {
        true => Some(text(&manifest)?),
        false => None,
    };
    let mut files = scripts(folder)?;
    if !files.iter().any(|(name, _)| name.ends_with(".up.sql")) {
        files.extend(parts_apart(folder)?);
    }
    let absolute = folder.canonicalize().map_err(|e| failed(folder, e))?;
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    Ok(Upload::new(name.into_owned(), manifest, files))
}

fn failed(path: &Path, cause: std::io::Error) -> Error {
    Error::new(Kind::BadPack, format!("cannot read {}: {cause}", path.display()))
}

/// The files of a folder that end in `.sql`.
fn scripts(folder: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| failed(folder, e))? {
        let path = entry.map_err(|e| failed(folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_version = name.starts_with(|c: char| c.is_ascii_digit()) && !path.is_dir();
        if name.ends_with(".sql") && (is_version || path.is_file()) {
            files.push((name, script(&path)?));
        }
    }
    Ok(files)
}

/// The text of a file. What has the name of one and cannot be read, such as a link that leads nowhere, is refused: it would
/// be a version that is left out.
fn script(path: &Path) -> Result<String, Error> {
    let refused =
        |why: &str| Err(Error::new(Kind::BadPack, format!("cannot read {}: {why}", path.display())));
    if path.file_name().is_some_and(|name| name.to_str().is_none()) {
        return refused("its name is not UTF-8");
    }
    match std::fs::metadata(path).map_err(|e| failed(path, e))?.is_file() {
        true => text(path),
        false => refused("it is no file"),
    }
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|e| failed(path, e))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Error::new(Kind::BadPack, format!("cannot read {}: line {line} is not valid UTF-8", path.display()))
            .hint("save it as UTF-8, such as by iconv -f LATIN1 -t UTF-8")
    })
}

/// Supabase's layout keeps what its own tools must not apply in folders of its own.
fn parts_apart(folder: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for part in ["down", "verify"] {
        if folder.join(part).is_dir() {
            let apart = scripts(&folder.join(part))?.into_iter();
            files.extend(apart.map(|(name, text)| (format!("{part}/{name}"), text)));
        }
    }
    Ok(files)
}
