//! `create`: the empty files of a new version: an up and a down file, or one beside Supabase's.

use crate::args::{Args, Create};
use crate::go_time;
use crate::output::Output;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use std::path::{Path, PathBuf};
use strata_core::{Error, Kind};

/// Creates the files and prints where they are.
pub fn run(args: &Args, create: &Create, output: &Output) -> Result<u8, Error> {
    let folder = create.dir.as_ref().or(args.folder()).cloned().unwrap_or_else(|| PathBuf::from("."));
    let extension = create.ext.trim_start_matches('.');
    check(&create.name)?;
    std::fs::create_dir_all(&folder).map_err(|cause| failed(&folder, &cause))?;
    let names = files(&folder, extension)?;
    let version = if create.seq { next(&names, create.digits)? } else { by_time(create)? };
    if names.iter().any(|name| name.starts_with(&format!("{version}_"))) {
        let message = format!("duplicate migration version: {version}");
        return Err(Error::new(Kind::DuplicateVersion, message).hint("wait a second, or use --seq"));
    }
    let file = |part: &str| folder.join(format!("{version}_{}{part}.{extension}", create.name));
    let parts: &[&str] = if is_supabase(&names) { &[""] } else { &[".up", ".down"] };
    let paths: Vec<PathBuf> = parts.iter().map(|part| file(part)).collect();
    for path in &paths {
        std::fs::File::create_new(path).map_err(|cause| failed(path, &cause))?;
    }
    let shown: Vec<String> =
        paths.into_iter().map(|path| path.canonicalize().unwrap_or(path).display().to_string()).collect();
    output.result(json!({"version": version, "files": shown}), &shown.join("\n"));
    Ok(0)
}

/// A name that the files can have, and that is found again.
fn check(name: &str) -> Result<(), Error> {
    let wrong = |what: &str| Err(Error::new(Kind::BadArgument, format!("the name {name:?} {what}")));
    match name {
        _ if name.trim().is_empty() => {
            wrong("says nothing").map_err(|error| error.hint("say what the migration is about"))
        }
        _ if name.contains(['/', '\\']) => {
            wrong("has a slash in it").map_err(|error| error.hint("say the folder with --dir"))
        }
        _ if name.contains(char::is_control) => wrong("has a control character in it"),
        _ => Ok(()),
    }
}

fn failed(path: &Path, cause: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("cannot create {}: {cause}", path.display()))
}

/// Names of this extension, in order.
fn files(folder: &Path, extension: &str) -> Result<Vec<String>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|cause| failed(folder, &cause))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(&format!(".{extension}"))).collect();
    names.sort();
    Ok(names)
}

/// Whether the folder is one of Supabase's: a version is one file there.
fn is_supabase(names: &[String]) -> bool {
    let is_migration = |name: &&String| name.split_once('_').is_some_and(|(n, _)| n.parse::<u64>().is_ok());
    let mut versions = names.iter().filter(is_migration).peekable();
    versions.peek().is_some() && versions.all(|name| name.split('.').count() == 2)
}

/// One above the highest number there is, with leading zeros.
fn next(names: &[String], digits: u16) -> Result<String, Error> {
    let number = |name: &String| name.split_once('_').and_then(|(digits, _)| digits.parse::<u64>().ok());
    let last = names.iter().filter_map(number).max().unwrap_or(0);
    let width = usize::from(digits);
    let version = format!("{:0width$}", last.saturating_add(1));
    match version.len() > width {
        true => Err(Error::new(
            Kind::BadArgument,
            format!("next sequence number {version} too large, at most {digits} digits are allowed"),
        )
        .hint("raise --digits")),
        false => Ok(version),
    }
}

fn by_time(create: &Create) -> Result<String, Error> {
    let bad = |message: String| Error::new(Kind::BadArgument, message);
    let zone = match create.tz.as_str() {
        // Also where the system has no time zones.
        "UTC" => TimeZone::UTC,
        name => {
            TimeZone::get(name).map_err(|cause| bad(format!("--tz \"{name}\" is no time zone: {cause}")))?
        }
    };
    let now = Timestamp::now().to_zoned(zone);
    let version = match create.format.as_str() {
        "" => return Err(bad("time format may not be empty".to_owned())),
        "unix" => now.timestamp().as_second().to_string(),
        "unixNano" => now.timestamp().as_nanosecond().to_string(),
        layout => go_time::format(&now, layout),
    };
    match version.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(version),
        false => Err(bad(format!(
            "--format \"{}\" makes the version {version}, which is no number",
            create.format
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(names: &[&str], digits: u16) -> Result<String, Error> {
        next(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), digits)
    }

    #[test]
    fn refuses_a_name_that_no_run_would_find() {
        for (name, part) in
            [("", "says nothing"), (" ", "says nothing"), ("../x", "a slash"), ("a\nb", "control")]
        {
            let err = check(name).expect_err("refused");
            assert!(err.message().contains(part) && err.kind() == Kind::BadArgument, "{err}");
        }
        assert!(check("add_köln").is_ok());
    }

    #[test]
    fn a_sequence_goes_on_behind_its_highest_number() {
        assert_eq!(after(&[], 6).expect("first"), "000001");
        assert_eq!(after(&["000009_a.up.sql", "10_b.up.sql", "README.sql"], 4).expect("next"), "0011");
        let err = after(&["999_a.up.sql"], 3).expect_err("too large");
        assert_eq!(err.message(), "next sequence number 1000 too large, at most 3 digits are allowed");
    }
}
