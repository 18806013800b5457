//! Adoption: what another migration tool has applied is not applied again, and its table is kept in step.
//!
//! The other tool is golang-migrate, with its one row of version and dirty, or Supabase, with a row for each version.
//! The table is called a ledger here. What is decided: which ledger is that of a pack, and what it means that the two
//! differ.

use crate::error::{Error, Kind};
use crate::pack::{Layout, Pack};
use crate::plan::Known;
use crate::statement::{Row, Statement, Value, column};

/// From here on a version is a point in time, and that two folders share one is no accident. Ten digits: seconds.
const TIMES: i64 = 1_000_000_000;

/// What the caller says about ledgers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// What the pack says, else what is found.
    #[default]
    Find,
    /// This table: `schema.table`, quoted where SQL needs it.
    Table(String),
    /// None, now and later.
    Never,
}

impl Wish {
    /// The caller's, else the manifest's.
    pub fn of(self, pack: &Pack) -> Wish {
        match (self, pack.manifest.ledger.as_str()) {
            (Wish::Find, "none") => Wish::Never,
            (Wish::Find, table) if !table.is_empty() => Wish::Table(table.to_owned()),
            (wish, _) => wish,
        }
    }
}

/// Whose table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// One row: version, dirty. Every version up to it is applied.
    GolangMigrate,
    /// A row for each applied version.
    Supabase,
}

/// The table of another tool, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Whose it is.
    pub tool: Tool,
    /// Schema and table.
    pub table: (String, String),
    /// 0 in the first schema of the search path, 1 further on, 2 elsewhere. Supabase's lies elsewhere, always in one place.
    pub rank: i64,
    /// True: the pack is kept in step with it.
    pub bound: bool,
    /// `idle`, `busy`: the tool is at work, or `gone`.
    pub state: String,
    /// The versions in it, as text.
    pub recorded: Vec<String>,
    /// True: golang-migrate has begun the version and not finished it.
    pub dirty: bool,
}

/// What follows from the ledgers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// Nothing is to be done.
    Nothing,
    /// The pack is to be kept in step with none.
    Never,
    /// The table of this name is to be made first: neither strata nor the other tool has seen the database.
    Begin(String),
    /// These versions of the pack count as applied, and the ledger is kept in step.
    Adopt(Ledger, Vec<i64>),
}

/// The question behind [`read`].
pub fn question(pack: &Pack, wish: &Wish) -> Statement {
    let named = match wish {
        Wish::Table(name) => Value::from(name.as_str()),
        _ => Value::Null,
    };
    let params = vec![pack.manifest.name.as_str().into(), named];
    Statement::ours(include_str!("../../sql/query/ledgers.sql"), params)
}

/// The ledgers in the rows of [`question`].
pub fn read(rows: &[Row]) -> Vec<Ledger> {
    let mut ledgers: Vec<Ledger> = Vec::new();
    for row in rows {
        let ledger = ledger(row);
        match ledgers.last_mut().filter(|last| last.table == ledger.table) {
            Some(last) => last.recorded.extend(ledger.recorded),
            None => ledgers.push(ledger),
        }
    }
    ledgers
}

fn ledger(row: &Row) -> Ledger {
    let text = |index| column(row, index).to_owned();
    let tool = if column(row, 0) == "supabase" { Tool::Supabase } else { Tool::GolangMigrate };
    Ledger {
        tool,
        table: (text(1), text(2)),
        rank: column(row, 3).parse().unwrap_or(2),
        bound: column(row, 4) == "true",
        state: text(5),
        recorded: row.get(6).cloned().flatten().into_iter().collect(),
        dirty: column(row, 7) == "true",
    }
}

impl Ledger {
    /// `schema.table`, for a message.
    pub fn name(&self) -> String {
        format!("{}.{}", self.table.0, self.table.1)
    }

    /// How its tool is called in the database.
    pub fn kind(&self) -> &'static str {
        match self.tool {
            Tool::GolangMigrate => "golang-migrate",
            Tool::Supabase => "supabase",
        }
    }

    fn versions(&self) -> impl Iterator<Item = i64> + '_ {
        self.recorded.iter().filter_map(|version| version.parse().ok())
    }

    /// The newest version in it.
    pub fn last(&self) -> Option<i64> {
        self.versions().max()
    }

    /// A version in it that is none of the pack.
    fn strange(&self, pack: &Pack) -> Option<&String> {
        let known = |version: &&String| version.parse().is_ok_and(|v| pack.migration(v).is_some());
        self.recorded.iter().find(|version| !known(version))
    }

    /// True where a folder of this tool's layout lies before us that nobody has described to strata.
    fn is_native(&self, pack: &Pack) -> bool {
        let layout = match self.tool {
            Tool::GolangMigrate => Layout::GolangMigrate,
            Tool::Supabase => Layout::Supabase,
        };
        !pack.described && pack.layout == layout
    }

    fn fits(&self, pack: &Pack) -> bool {
        !self.recorded.is_empty() && self.strange(pack).is_none()
    }

    /// True if it is this pack's beyond doubt.
    fn convinces(&self, pack: &Pack) -> bool {
        let native = self.is_native(pack);
        let dated = self.last().is_some_and(|version| version >= TIMES);
        native && self.recorded.is_empty() || self.fits(pack) && (native || dated)
    }

    /// The versions of the pack that count as applied.
    fn applied(&self, pack: &Pack) -> Vec<i64> {
        let last = self.last().unwrap_or(-1);
        let counts = |version: i64| match self.tool {
            Tool::GolangMigrate => version <= last,
            Tool::Supabase => self.versions().any(|v| v == version),
        };
        pack.migrations.iter().map(|m| m.version).filter(|v| counts(*v)).collect()
    }

    /// Takes it over.
    pub fn adopt(&self, pack: &Pack, versions: &[i64]) -> Statement {
        let params = vec![
            pack.manifest.name.as_str().into(),
            self.kind().into(),
            self.table.0.as_str().into(),
            self.table.1.as_str().into(),
            Value::Json(versions.into()),
        ];
        Statement::ours(include_str!("../../sql/query/adopt.sql"), params)
    }
}

/// Keeps the pack in step with none.
pub fn never(pack: &Pack) -> Statement {
    let params = vec![pack.manifest.name.as_str().into()];
    Statement::ours(include_str!("../../sql/query/adopt_none.sql"), params)
}

/// Makes the table of another tool, empty.
pub fn begin(pack: &Pack, name: &str) -> Statement {
    let params = vec![pack.manifest.name.as_str().into(), name.into()];
    Statement::ours(include_str!("../../sql/query/begin_ledger.sql"), params)
}

/// What is to be done before anything is planned. `known` is what the database knows of the pack.
pub fn decide(pack: &Pack, known: &[Known], ledgers: &[Ledger], wish: &Wish) -> Result<Adoption, Error> {
    match (wish, ledgers) {
        (Wish::Never, []) => Ok(Adoption::Nothing),
        (Wish::Never, _) => Ok(Adoption::Never),
        (Wish::Table(name), []) if known.iter().all(|k| k.state == "pending") => {
            Ok(Adoption::Begin(name.clone()))
        }
        (Wish::Find | Wish::Table(_), _) => match of_pack(pack, ledgers, wish)? {
            Some(ledger) => compare(pack, known, ledger),
            None => Ok(Adoption::Nothing),
        },
    }
}

/// The ledger of the pack, where it is beyond doubt that there is one or none.
pub fn of_pack<'l>(pack: &Pack, ledgers: &'l [Ledger], wish: &Wish) -> Result<Option<&'l Ledger>, Error> {
    if let Some(bound) = ledgers.iter().find(|l| l.bound) {
        return Ok(Some(bound));
    }
    if let Wish::Table(name) = wish {
        return the_only(pack, &ledgers.iter().collect::<Vec<_>>(), name).map(Some);
    }
    let convincing: Vec<&Ledger> = ledgers.iter().filter(|l| l.convinces(pack)).collect();
    if let Some(nearest) = convincing.iter().map(|l| (l.recorded.is_empty(), l.rank)).min() {
        let nearest: Vec<&Ledger> =
            convincing.into_iter().filter(|l| (l.recorded.is_empty(), l.rank) == nearest).collect();
        return match nearest.as_slice() {
            [only] => Ok(Some(only)),
            several => Err(doubtful(pack, several)),
        };
    }
    if let Some(own) = ledgers.iter().find(|l| l.is_native(pack) && (l.rank < 2 || l.tool == Tool::Supabase))
    {
        return Err(strange(pack, own));
    }
    match ledgers.iter().filter(|l| l.fits(pack)).collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        fitting => Err(doubtful(pack, fitting)),
    }
}

fn the_only<'l>(pack: &Pack, ledgers: &[&'l Ledger], name: &str) -> Result<&'l Ledger, Error> {
    match ledgers {
        [only] => Ok(only),
        [] => Err(Error::new(
            Kind::NotFound,
            format!("\"{name}\" is no table of golang-migrate's or Supabase's, or belongs to another pack"),
        )
        .hint("golang-migrate's has the columns version bigint and dirty boolean; strata.ledger has what is taken")),
        several => Err(doubtful(pack, several)),
    }
}

fn doubtful(pack: &Pack, ledgers: &[&Ledger]) -> Error {
    let names: Vec<String> = ledgers
        .iter()
        .map(|l| format!("{} (version {})", l.name(), l.recorded.last().map_or("none", String::as_str)))
        .collect();
    let message = format!("it is not certain that {} is of pack {}", names.join(" or "), pack.manifest.name);
    Error::new(Kind::NotConfirmed, message).hint(format!(
        "say --adopt {}, which counts its versions as applied, or --no-adopt; in pack.toml: ledger = \"...\" or \"none\"",
        ledgers.first().map(|l| l.name()).unwrap_or_default()
    ))
}

fn strange(pack: &Pack, ledger: &Ledger) -> Error {
    let version = ledger.strange(pack).map_or("", String::as_str);
    let message =
        format!("{} has version {version}, which has no file in pack {}", ledger.name(), pack.manifest.name);
    Error::new(Kind::Changed, message)
        .hint("put the file back, or run with --no-adopt if the table belongs to another folder")
}

/// Where the pack stands beside its ledger.
fn compare(pack: &Pack, known: &[Known], ledger: &Ledger) -> Result<Adoption, Error> {
    let half = known.iter().find(|k| k.state == "applying" || k.state == "reverting");
    let ours: Vec<i64> = known.iter().filter(|k| k.state == "applied").map(|k| k.version).collect();
    if ledger.state == "gone" {
        let message =
            format!("{} is gone, with which pack {} is kept in step", ledger.name(), pack.manifest.name);
        return Err(Error::new(Kind::Changed, message).hint("run with --no-adopt to go on without it"));
    }
    if ledger.dirty && half.is_none() {
        return Err(dirty(ledger));
    }
    if ledger.dirty {
        return Ok(Adoption::Nothing);
    }
    if ledger.state == "busy" {
        let message = format!("golang-migrate is at work on {}", ledger.name());
        return Err(Error::new(Kind::Locked, message).hint("wait for it to end"));
    }
    if ledger.strange(pack).is_some() {
        return Err(strange(pack, ledger));
    }
    let theirs = ledger.applied(pack);
    if let Some(half) =
        half.filter(|half| ledger.tool == Tool::GolangMigrate || theirs.contains(&half.version))
    {
        return Err(forced(pack, half, ledger));
    }
    match ours.iter().filter(|v| !theirs.contains(v)).max() {
        Some(version) => Err(behind(pack, *version, ledger)),
        None if ledger.bound && theirs.len() == ours.len() => Ok(Adoption::Nothing),
        None => {
            Ok(Adoption::Adopt(ledger.clone(), theirs.into_iter().filter(|v| !ours.contains(v)).collect()))
        }
    }
}

/// golang-migrate's own words, with its capital.
fn dirty(ledger: &Ledger) -> Error {
    let version = ledger.recorded.first().map_or("-1", String::as_str);
    if ledger.state == "busy" {
        let message = format!("golang-migrate is at work on version {version} of {}", ledger.name());
        return Error::new(Kind::Locked, message).hint("wait for it to end");
    }
    let next = if version == "-1" { "0" } else { version };
    Error::new(Kind::RepairNeeded, format!("Dirty database version {version}. Fix and force version.")).hint(
        format!(
            "{} says so; \"strata force {next}\" when the version is whole, a lower number when it is undone",
            ledger.name()
        ),
    )
}

/// A version under way is dirty in the ledger; somebody has said there that it is not.
fn forced(pack: &Pack, half: &Known, ledger: &Ledger) -> Error {
    let version = ledger.last().map_or("none".to_owned(), |v| v.to_string());
    let message = format!(
        "version {} ({}) is half-way, and {} is at version {version} as if it were not",
        half.version,
        half.name,
        ledger.name()
    );
    Error::new(Kind::RepairNeeded, message)
        .hint(format!("say how it is: \"strata force V --pack {}\"", pack.manifest.name))
}

fn behind(pack: &Pack, version: i64, ledger: &Ledger) -> Error {
    let at = ledger.last().map_or("none".to_owned(), |v| v.to_string());
    if !ledger.bound {
        let message = format!(
            "version {version} of pack {} is applied, and {}, which it was not kept in step with, is at version {at}",
            pack.manifest.name,
            ledger.name()
        );
        return Error::new(Kind::Changed, message).hint(
            "where this folder is another pack, give it a name of its own in a pack.toml: name = \"...\"",
        );
    }
    let message = format!(
        "version {version} of pack {} is applied, and {} is at version {at}: another tool has taken it back",
        pack.manifest.name,
        ledger.name()
    );
    Error::new(Kind::Changed, message).hint(format!(
        "say how it is: \"strata force {}\" if it is gone, \"strata force {version}\" if it is there",
        ledger.last().unwrap_or(0)
    ))
}

#[cfg(test)]
mod tests;
