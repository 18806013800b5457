//! Packs: a folder of migrations, from its files.

mod layout;

use crate::error::{Error, Kind};
use crate::script;
use crate::statement::{Statement, Value};
use crate::variables::{Values, Variable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub use layout::Layout;
use layout::PARTS;

/// What `pack.toml` says. A folder without one is a pack of one phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Lower case letters, digits, `_` and `-`.
    pub name: String,
    /// One line; the name where it is left out.
    #[serde(default)]
    pub title: String,
    /// Version of the plan, not of the database.
    #[serde(default)]
    pub version: String,
    /// Date of the plan.
    #[serde(default)]
    pub date: String,
    /// Estimated duration, in words.
    #[serde(default)]
    pub duration: String,
    /// Risk level, in words.
    #[serde(default)]
    pub risk: String,
    /// Table of another migration tool to keep in step with, `schema.table`; `none`: with none; empty: what is found.
    #[serde(default)]
    pub ledger: String,
    /// What the server must have.
    #[serde(default)]
    pub requires: Requires,
    /// What a caller may choose.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// In the order in which they run.
    #[serde(default, rename(deserialize = "phase"))]
    pub phases: Vec<Phase>,
}

/// What the server must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// Major version, at least.
    pub postgres: Option<u32>,
    /// pgvector's version, at least, such as `0.8`.
    pub vector: Option<String>,
}

/// A group of migrations with a gate before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// From 1, ascending.
    pub number: i64,
    /// A few words.
    pub name: String,
    /// Days of the plan, such as `4-7`.
    #[serde(default)]
    pub days: String,
    /// Versions in it.
    #[serde(default)]
    pub migrations: Vec<i64>,
    /// What must hold before it starts. A contract phase needs `verified` and `signed`, said or not.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// What people must have signed before it starts: a word, and the statement that is signed.
    #[serde(default)]
    pub sign: BTreeMap<String, String>,
    /// True: its versions take away what the application no longer needs.
    #[serde(default)]
    pub contract: bool,
    /// Versions of it that may drop without a copy.
    #[serde(default)]
    pub may_drop: Vec<i64>,
}

/// A condition of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Every row of every registered source has its embedding.
    Embedded,
    /// The verification of everything applied so far passes, now.
    Verified,
    /// Somebody has signed that the phase may start.
    Signed,
    /// Somebody has signed that a backup was restored, with evidence.
    BackupRestored,
}

impl Phase {
    /// True if something must hold before it starts.
    pub fn is_gated(&self) -> bool {
        !self.needs.is_empty() || !self.sign.is_empty()
    }
}

/// One version of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Number in the file name.
    pub version: i64,
    /// The same as it is written there.
    pub digits: String,
    /// How its files are named.
    pub layout: Layout,
    /// What follows the number.
    pub name: String,
    /// Phase that it belongs to.
    pub phase: i64,
    /// Text of the up file, as it is in the folder but for its line ends.
    pub up: String,
    /// Text of the down file.
    pub down: Option<String>,
    /// Text of the verify file.
    pub verify: Option<String>,
    /// Names of its files by part: `up`, `down`, `verify`.
    pub files: BTreeMap<&'static str, String>,
}

impl Migration {
    /// SHA-256 of the up file, in hexadecimal digits.
    pub fn checksum(&self) -> String {
        checksum(&self.up)
    }

    /// SHA-256 over all its files: what somebody has seen who signs for it.
    pub fn files_checksum(&self) -> String {
        let part = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), checksum);
        checksum(&format!("{}\n{}\n{}", self.checksum(), part(&self.down), part(&self.verify)))
    }

    /// The name of this part's file; of one that is absent, the name that it should have.
    pub fn file(&self, part: &str) -> String {
        let absent = || match (self.layout, part) {
            (Layout::GolangMigrate, _) => format!("{}_{}.{part}.sql", self.digits, self.name),
            (Layout::Supabase, "up") => format!("{}_{}.sql", self.digits, self.name),
            (Layout::Supabase, _) => format!("{part}/{}_{}.sql", self.digits, self.name),
        };
        self.files.get(part).cloned().unwrap_or_else(absent)
    }

    /// What Supabase's table has of it: the version as text, the statements.
    fn entry(&self) -> serde_json::Value {
        if self.layout != Layout::Supabase {
            return serde_json::Value::Null;
        }
        let statements: Vec<String> = script::split(&self.file("up"), &self.up)
            .map(|statements| statements.into_iter().map(|sql| sql.text).collect())
            .unwrap_or_default();
        serde_json::json!({"version": self.digits, "statements": statements})
    }
}

/// SHA-256 in hexadecimal digits.
pub fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A pack, complete and consistent.
#[derive(Clone, Debug)]
pub struct Pack {
    /// What `pack.toml` says.
    pub manifest: Manifest,
    /// Ascending by version.
    pub migrations: Vec<Migration>,
    /// How its files are named.
    pub layout: Layout,
    /// False for a bare folder, without a `pack.toml`.
    pub described: bool,
    /// Values that the caller gave to its variables.
    pub given: Values,
}

/// A file of the folder: its name and its text.
pub type File = (String, String);

impl Pack {
    /// From the name of a folder, the text of its `pack.toml` and its other files, in any order.
    pub fn read(folder: &str, manifest: Option<&str>, files: Vec<File>) -> Result<Pack, Error> {
        let described = manifest.is_some();
        let mut manifest = match manifest {
            Some(text) => toml::from_str::<Manifest>(text).map_err(|e| bad_manifest(&e))?,
            None => Manifest { name: plain_name(folder), title: folder.to_owned(), ..Default::default() },
        };
        check_name(&manifest.name)?;
        if manifest.title.is_empty() {
            manifest.title.clone_from(&manifest.name);
        }
        let layout = Layout::of(&files)?;
        let mut migrations = assemble(layout, files)?;
        if migrations.is_empty() {
            let message =
                format!("pack {} has no migrations: no file is called NNN_name.up.sql", manifest.name);
            return Err(Error::new(Kind::BadPack, message)
                .hint("add 001_first.up.sql, or name the folder that has them with --path"));
        }
        if manifest.phases.is_empty() {
            let migrations = migrations.keys().copied().collect();
            let name = "All migrations".to_owned();
            manifest.phases = vec![Phase { number: 1, name, migrations, ..Phase::default() }];
        }
        manifest.phases.iter_mut().try_for_each(complete_phase)?;
        assign_phases(&manifest.phases, &mut migrations)?;
        let migrations = migrations.into_values().collect();
        Ok(Pack { manifest, migrations, layout, described, given: Values::new() })
    }

    /// Tells the database of it, and of the values that stand for its variables.
    pub fn register(&self, values: &Values) -> Statement {
        let json =
            |value: serde_json::Result<serde_json::Value>| Value::Json(value.expect("plain data serializes"));
        let (name, title) = (self.manifest.name.as_str(), self.manifest.title.as_str());
        let described = [json(serde_json::to_value(&self.manifest)), json(serde_json::to_value(values))];
        let params =
            [vec![name.into(), title.into()], described.into(), vec![Value::Json(self.versions())]].concat();
        Statement::ours(include_str!("../../sql/query/register.sql"), params)
    }

    /// Its versions as the database is told of them: version, name, phase, checksums, entry.
    pub fn versions(&self) -> serde_json::Value {
        let version = |m: &Migration| {
            let (version, name, phase) = (m.version, &m.name, m.phase);
            serde_json::json!({
                "version": version, "name": name, "phase": phase, "checksum": m.checksum(),
                "files": m.files_checksum(), "entry": m.entry(),
            })
        };
        self.migrations.iter().map(version).collect()
    }

    /// The phase of this number.
    pub fn phase(&self, number: i64) -> Option<&Phase> {
        self.manifest.phases.iter().find(|p| p.number == number)
    }

    /// True if the pack has a phase for what drops: then nothing drops outside of it.
    pub fn has_contract(&self) -> bool {
        self.manifest.phases.iter().any(|p| p.contract)
    }

    /// The files of a phase as the database tells them: a line for each version, its number and its checksum.
    pub fn phase_files(&self, number: i64) -> String {
        let of = self.migrations.iter().filter(|m| m.phase == number);
        of.map(|m| format!("{} {}", m.version, m.files_checksum())).collect::<Vec<_>>().join("\n")
    }

    /// The migration of this version.
    pub fn migration(&self, version: i64) -> Option<&Migration> {
        self.migrations.iter().find(|m| m.version == version)
    }

    /// True if a file may prepare statements, or forget those that are; rather once too often.
    pub fn prepares(&self) -> bool {
        let texts = |m: &'_ Migration| [Some(m.up.clone()), m.down.clone(), m.verify.clone()];
        let mut texts = self.migrations.iter().flat_map(texts).flatten();
        let says = |text: &str, word: &str| text.to_lowercase().contains(word);
        texts.any(|text| says(&text, "prepare") || says(&text, "deallocate"))
    }
}

/// What a phase says without saying it; refuses items that could not be told apart.
fn complete_phase(phase: &mut Phase) -> Result<(), Error> {
    let implied = if phase.contract { &[Need::Verified, Need::Signed][..] } else { &[] };
    phase.needs.extend(implied);
    phase.needs.sort_unstable();
    phase.needs.dedup();
    let bad = |message: String| Err(Error::new(Kind::BadPack, format!("pack.toml: {message}")));
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let taken = ["embedded", "verified", "signed", "backup_restored"];
    for (word, statement) in &phase.sign {
        if word.is_empty() || !word.chars().all(letter) || taken.contains(&word.as_str()) {
            let rule = "use lower-case letters, digits and _, and no word of needs";
            return bad(format!("phase {}: \"{word}\" cannot be signed: {rule}", phase.number));
        }
        if statement.trim().is_empty() {
            return bad(format!("phase {}: \"{word}\" has no statement to sign", phase.number));
        }
    }
    match phase.may_drop.iter().find(|version| !phase.migrations.contains(version)) {
        Some(version) => bad(format!("phase {} may_drop names version {version} of another", phase.number)),
        None => Ok(()),
    }
}

fn bad_manifest(cause: &toml::de::Error) -> Error {
    let message = cause.message().replace('\n', " ");
    Error::new(Kind::BadPack, format!("pack.toml: {message}"))
        .hint("docs/packs.md lists what a pack.toml may say")
}

fn plain_name(folder: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' };
    folder.chars().map(letter).collect::<String>().trim_start_matches('_').to_owned()
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    match (1..=63).contains(&name.len()) && name.chars().all(fits) && !name.starts_with(['_', '-']) {
        true => Ok(()),
        false => Err(Error::new(Kind::BadPack, format!("pack name \"{name}\" is not usable"))
            .hint("use up to 63 lower-case letters, digits, _ and -, beginning with a letter or digit")),
    }
}

fn number(digits: &str, file: &str) -> Result<i64, Error> {
    digits.parse().map_err(|_| {
        Error::new(Kind::BadPack, format!("version {digits} of \"{file}\" is above {}", i64::MAX))
    })
}

/// The same file is the same migration on every system: without a byte order mark, and with `\n` for a line end.
fn plain_text(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

/// The files of one version while they are being found.
#[derive(Default)]
struct Found {
    name: String,
    digits: String,
    parts: BTreeMap<&'static str, File>,
}

fn assemble(layout: Layout, mut files: Vec<File>) -> Result<BTreeMap<i64, Migration>, Error> {
    files.sort();
    let mut found: BTreeMap<i64, Found> = BTreeMap::new();
    for (file, text) in files {
        let Some(place) = layout.place(&file)? else { continue };
        let (version, part) = (number(place.digits, &file)?, place.part);
        let (digits, name) = (place.digits.to_owned(), place.name.to_owned());
        let of = found.entry(version).or_default();
        add(of, version, &name, (part, (file, plain_text(&text))))?;
        if part == "up" || of.digits.is_empty() {
            of.digits = digits;
        }
    }
    found.into_iter().map(|(version, found)| Ok((version, complete(layout, version, found)?))).collect()
}

fn add(found: &mut Found, version: i64, name: &str, (part, file): (&'static str, File)) -> Result<(), Error> {
    let other = found.parts.get(part).or_else(|| found.parts.values().find(|_| found.name != name));
    if let Some((other, _)) = other {
        let message =
            format!("duplicate migration version: {version} is both \"{other}\" and \"{}\"", file.0);
        return Err(
            Error::new(Kind::DuplicateVersion, message).hint("give one of them the next free version")
        );
    }
    found.name = name.to_owned();
    found.parts.insert(part, file);
    Ok(())
}

fn complete(layout: Layout, version: i64, mut found: Found) -> Result<Migration, Error> {
    let files = found.parts.iter().map(|(part, (file, _))| (*part, file.clone())).collect();
    let [up, down, verify] = PARTS.map(|part| found.parts.remove(part));
    let (name, digits) = (found.name, found.digits);
    let file = up.as_ref().or(down.as_ref()).or(verify.as_ref()).map_or("", |(file, _)| file).to_owned();
    let text = |file: Option<File>| file.map(|(_, text)| text);
    let (missing, up) = (up.is_none(), text(up).unwrap_or_default());
    let (down, verify) = (text(down), text(verify));
    let migration = Migration { version, digits, layout, name, phase: 0, up, down, verify, files };
    match missing {
        false => Ok(migration),
        true => Err(Error::new(Kind::BadPack, format!("version {version} has no up file beside \"{file}\""))
            .hint(format!("add {}", migration.file("up")))),
    }
}

fn assign_phases(phases: &[Phase], migrations: &mut BTreeMap<i64, Migration>) -> Result<(), Error> {
    let bad = |message: String| Err(Error::new(Kind::BadPack, format!("pack.toml: {message}")));
    let mut before = (0, i64::MIN);
    for phase in phases {
        if phase.number <= before.0 {
            return bad(format!("phase {} comes after phase {}", phase.number, before.0));
        }
        if i32::try_from(phase.number).is_err() {
            return bad(format!("phase {} is above {}", phase.number, i32::MAX));
        }
        for version in &phase.migrations {
            match migrations.get_mut(version) {
                None => {
                    return bad(format!("phase {} names version {version}, which has no file", phase.number));
                }
                Some(_) if *version <= before.1 => {
                    return bad(format!(
                        "phase {}: version {version} comes after {}",
                        phase.number, before.1
                    ));
                }
                Some(migration) => migration.phase = phase.number,
            }
            before.1 = *version;
        }
        before.0 = phase.number;
    }
    match migrations.values().find(|m| m.phase == 0) {
        Some(m) => bad(format!("version {} ({}) is in no phase", m.version, m.name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<File> {
        names.iter().map(|n| ((*n).to_owned(), format!("-- {n}"))).collect()
    }

    fn refusal(manifest: Option<&str>, names: &[&str]) -> Error {
        Pack::read("some folder", manifest, files(names)).expect_err("refused")
    }

    #[test]
    fn a_folder_without_a_manifest_is_a_pack_of_one_phase() {
        let names = [
            "2_b.up.sql",
            "001_a.down.sql",
            "001_a.up.sql",
            "README.md",
            "seed.sql",
            "20240101120000_c.d.up.sql",
        ];
        let pack = Pack::read("My App", None, files(&names)).expect("a pack");
        assert_eq!(pack.manifest.name, "my_app");
        let outline: Vec<_> =
            pack.migrations.iter().map(|m| (m.version, m.name.as_str(), m.down.is_some())).collect();
        assert_eq!(outline, [(1, "a", true), (2, "b", false), (20240101120000, "c.d", false)]);
        assert_eq!(pack.phase(1).map(|p| p.migrations.len()), Some(3));
    }

    #[test]
    fn reads_phases_variables_and_requirements() {
        let manifest = "name='p'\ntitle='P'\n[requires]\npostgres=15\nvector='0.8'\n[variables.dims]\ntype='integer'\n\
                        default=384\n[[phase]]\nnumber=1\nname='one'\nmigrations=[1]\n[[phase]]\nnumber=4\nname='four'\n\
                        days='9-10'\nmigrations=[2]\nneeds=['embedded']";
        let pack = Pack::read("x", Some(manifest), files(&["1_a.up.sql", "2_b.up.sql"])).expect("a pack");
        assert_eq!(pack.migration(2).map(|m| m.phase), Some(4));
        assert_eq!(pack.phase(4).map(|p| p.needs.clone()), Some(vec![Need::Embedded]));
        assert_eq!(pack.manifest.variables["dims"].default, "384");
        assert_eq!(pack.manifest.requires.vector.as_deref(), Some("0.8"));
    }

    #[test]
    fn refuses_two_files_of_one_version_and_names_both() {
        for names in
            [["1_a.up.sql", "001_b.up.sql"], ["1_a.up.sql", "01_a.up.sql"], ["1_a.up.sql", "1_b.down.sql"]]
        {
            let err = refusal(None, &names);
            assert_eq!(err.kind(), Kind::DuplicateVersion);
            assert!(names.iter().all(|n| err.to_string().contains(n)), "{err}");
        }
    }

    #[test]
    fn refuses_a_file_that_means_to_be_a_migration_and_is_none() {
        for (name, part) in [
            ("1_a.ups.sql", "1_a.ups.sql"),
            ("1.up.sql", "1.up.sql"),
            ("99999999999999999999_a.up.sql", "above"),
        ] {
            let err = refusal(None, &[name]);
            assert!(err.to_string().contains(part) && err.kind() == Kind::BadPack, "{err}");
        }
        let alone = refusal(None, &["0007_a.down.sql"]);
        assert!(alone.to_string().contains("version 7 has no up file"), "{alone}");
        assert_eq!(alone.get_hint(), Some("add 0007_a.up.sql"));
        let broken = refusal(None, &["1_a\nb.up.sql"]);
        assert_eq!(broken.to_string(), "file name \"1_a\\nb.up.sql\" has a control character in it");
    }

    #[test]
    fn a_folder_without_migrations_is_no_pack() {
        let err = refusal(None, &["README.md", "schema.sql"]);
        assert_eq!(
            (err.kind(), err.to_string().contains("pack some_folder has no migrations")),
            (Kind::BadPack, true)
        );
    }

    #[test]
    fn files_are_called_by_their_own_names() {
        let pack = Pack::read("p", None, files(&["0001_a.up.sql", "01_a.down.sql"])).expect("a pack");
        let names = ["up", "down", "verify"].map(|part| pack.migrations[0].file(part));
        assert_eq!(names, ["0001_a.up.sql", "01_a.down.sql", "0001_a.verify.sql"]);
    }

    #[test]
    fn a_migration_is_the_same_whichever_system_wrote_its_line_ends() {
        let read = |text: &str| {
            let files = vec![("1_a.up.sql".to_owned(), text.to_owned())];
            Pack::read("p", None, files).expect("a pack").migrations[0].clone()
        };
        let (unix, windows) = (read("select 1;\n\nselect 2"), read("\u{feff}select 1;\r\n\r\nselect 2"));
        assert_eq!((windows.checksum(), &windows), (unix.checksum(), &unix));
    }

    #[test]
    fn a_name_is_all_that_a_manifest_needs() {
        let files = vec![("1_a.up.sql".to_owned(), String::new())];
        let pack = Pack::read("folder", Some("name = 'p'"), files).expect("a pack");
        assert_eq!((pack.manifest.name.as_str(), pack.manifest.title.as_str()), ("p", "p"));
    }

    #[test]
    fn refuses_a_manifest_that_does_not_fit_the_files() {
        let head = "name='p'\ntitle='P'\n";
        let phase = |n: i64, of: &str| format!("[[phase]]\nnumber={n}\nname='x'\nmigrations={of}\n");
        let cases = [
            (format!("{head}nonsense=1"), "nonsense"),
            (format!("{head}{}", phase(1, "[1,3]")), "version 3, which has no file"),
            (format!("{head}{}", phase(1, "[1]")), "version 2 (b) is in no phase"),
            (format!("{head}{}", phase(1, "[2,1]")), "version 1 comes after 2"),
            (format!("{head}{}{}", phase(2, "[1]"), phase(1, "[2]")), "phase 1 comes after phase 2"),
            (format!("{head}{}", phase(2_147_483_648, "[1]")), "phase 2147483648 is above 2147483647"),
            ("name='P!'\ntitle=''".into(), "pack name \"P!\""),
            (format!("{head}{}sign={{Dba='x'}}", phase(1, "[1,2]")), "\"Dba\" cannot be signed"),
            (format!("{head}{}sign={{signed='x'}}", phase(1, "[1,2]")), "\"signed\" cannot be signed"),
            (format!("{head}{}sign={{dba=' '}}", phase(1, "[1,2]")), "\"dba\" has no statement"),
            (format!("{head}{}may_drop=[3]", phase(1, "[1,2]")), "may_drop names version 3"),
        ];
        for (manifest, part) in cases {
            let err = refusal(Some(&manifest), &["1_a.up.sql", "2_b.up.sql"]);
            assert!(err.to_string().contains(part) && err.kind() == Kind::BadPack, "{err}");
        }
    }

    #[test]
    fn a_contract_phase_needs_a_verification_and_a_signature_said_or_not() {
        let manifest = "name='p'\ntitle='P'\n[[phase]]\nnumber=1\nname='one'\nmigrations=[1]\n[[phase]]\nnumber=2\n\
                        name='two'\nmigrations=[2]\ncontract=true\nneeds=['backup_restored','signed']\nmay_drop=[2]";
        let pack = Pack::read("x", Some(manifest), files(&["1_a.up.sql", "2_b.up.sql"])).expect("a pack");
        let needs = |number| pack.phase(number).map(|p| p.needs.clone()).unwrap_or_default();
        assert_eq!(needs(1), []);
        assert_eq!(needs(2), [Need::Verified, Need::Signed, Need::BackupRestored]);
        assert!(pack.has_contract());
    }

    #[test]
    fn the_files_of_a_phase_change_with_each_of_its_files() {
        let of = |names: &[&str]| Pack::read("x", None, files(names)).expect("a pack").phase_files(1);
        let one = of(&["1_a.up.sql"]);
        assert!(one.starts_with("1 ") && one.len() == 66, "{one}");
        let all = [one, of(&["1_a.up.sql", "1_a.down.sql"]), of(&["1_a.up.sql", "1_a.verify.sql"])];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
    }

    #[test]
    fn a_checksum_is_the_sha_256_of_the_file() {
        assert_eq!(checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
