//! Which migrations a request runs, in which steps. Everything that can be refused is refused here, before anything runs.

use crate::error::{Error, Kind};
use crate::pack::{Migration, Pack, Phase, checksum};
use crate::script::{self, Loss, Part, Sql};
use crate::statement::{Row, column};
use crate::variables::{self, Values};
use crate::verify;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Apply.
    Up,
    /// Take back.
    Down,
}

impl Direction {
    /// `up` or `down`, as in the file names and the state tables.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// As far as it goes.
    All,
    /// At most so many versions.
    Count(usize),
    /// Through the end of this phase; only up.
    Phase(i64),
    /// Up through this version, or down to it: it stays, what is above it goes.
    Version(i64),
    /// The same, whichever way it lies.
    Goto(i64),
}

/// What the database knows of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Number.
    pub version: i64,
    /// Name when it was last seen.
    pub name: String,
    /// `pending`, `applying`, `applied` or `reverting`.
    pub state: String,
    /// SHA-256 of the up file when it was last seen.
    pub checksum: String,
    /// True if its way up was begun and nothing of it was ever committed.
    pub untouched: bool,
    /// True if what it dropped was kept for a while, and was removed since.
    pub finalized: bool,
}

impl Known {
    /// From a row of `sql/query/migrations.sql`.
    pub fn read(row: &Row) -> Known {
        let text = |index| column(row, index).to_owned();
        let (version, untouched) = (column(row, 0).parse().unwrap_or(-1), column(row, 4) == "true");
        let finalized = column(row, 6) == "true";
        Known { version, name: text(1), state: text(2), checksum: text(3), untouched, finalized }
    }

    /// Of a version that another tool has applied; its file is taken as it is today.
    pub(crate) fn adopted(migration: &Migration) -> Known {
        let (version, name, checksum) = (migration.version, migration.name.clone(), migration.checksum());
        Known { version, name, state: "applied".to_owned(), checksum, untouched: false, finalized: false }
    }

    fn pending(&self) -> bool {
        self.state == "pending"
    }
}

/// One version that the request moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Number.
    pub version: i64,
    /// Name.
    pub name: String,
    /// Phase.
    pub phase: i64,
    /// The file that it runs.
    pub file: String,
    /// The steps, in order; the last one is a transaction that also marks the version.
    pub steps: Vec<Step>,
    /// The verification and the name of its file; only up.
    pub verify: Option<(String, String)>,
}

/// The smallest restartable unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1 within the version.
    pub number: i64,
    /// One line.
    pub summary: String,
    /// SHA-256 of its settings and its statements as they are sent.
    pub checksum: String,
    /// Session settings of the file before it.
    pub settings: Vec<Sql>,
    /// What it does.
    pub part: Part,
}

impl Step {
    /// As in `strata.run_step.kind`.
    pub fn kind(&self) -> &'static str {
        match &self.part {
            Part::Alone(..) => "alone",
            Part::Transaction(group) if group.is_empty() => "verify",
            Part::Transaction(_) => "transaction",
        }
    }

    /// Its statements.
    pub fn statements(&self) -> &[Sql] {
        statements(&self.part)
    }

    /// An empty step behind this one, which verifies and marks the version.
    pub(crate) fn closing(&self) -> Step {
        let part = Part::Transaction(Vec::new());
        let (number, settings) = (self.number + 1, self.settings.clone());
        Step { number, summary: summary(&part), checksum: checksum(""), settings, part }
    }
}

/// The moves of a request, in order. `known` is what the database knows of the pack.
pub fn plan(
    pack: &Pack,
    values: &Values,
    known: &[Known],
    (direction, target): (Direction, Target),
) -> Result<Vec<Move>, Error> {
    check_known(pack, known)?;
    let chosen = match direction {
        Direction::Up => up(pack, known, target)?,
        Direction::Down => down(pack, known, target)?,
    };
    let untouched =
        |version| known.iter().any(|k| k.version == version && k.state == "applying" && k.untouched);
    let moved = |migration: &Migration| match direction == Direction::Down && untouched(migration.version) {
        true => Ok(put_back(migration)),
        false => {
            let moved = steps(pack, values, migration, direction)?;
            losses(pack, migration, direction, &moved).map(|()| moved)
        }
    };
    chosen.into_iter().map(moved).collect()
}

/// [`plan`], and before it: the values, those that the database remembers behind them, must not have changed under
/// versions that were made with them.
pub fn fresh(
    pack: &Pack,
    (values, stored): (&Values, &Values),
    known: &[Known],
    way: (Direction, Target),
) -> Result<Vec<Move>, Error> {
    if !known.iter().all(Known::pending) {
        variables::keep(values, stored)?;
    }
    plan(pack, values, known, way)
}

/// Which way it is to a version: down where the database is above it. Zero lies below every version.
pub fn toward(pack: &Pack, known: &[Known], version: i64) -> Result<(Direction, Target), Error> {
    if version != 0 && pack.migration(version).is_none() {
        let last = pack.migrations.last().map_or(0, |m| m.version);
        let message = format!("pack {} has no version {version}", pack.manifest.name);
        return Err(Error::new(Kind::BadArgument, message).hint(format!("its last version is {last}")));
    }
    let above = known.iter().any(|k| !k.pending() && k.version > version);
    Ok((if above { Direction::Down } else { Direction::Up }, Target::Version(version)))
}

/// The last phase that a request reaches by itself; a request for versions reaches none without versions.
pub fn reach(target: Target) -> i64 {
    match target {
        Target::All => i64::MAX,
        Target::Phase(last) => last,
        Target::Count(_) | Target::Version(_) | Target::Goto(_) => i64::MIN,
    }
}

/// Phases through `last` that have a gate, no migrations, and are not among those that were passed.
pub fn unpassed(pack: &Pack, passed: &[i64], last: i64) -> Vec<i64> {
    let bare = |p: &&Phase| p.migrations.is_empty() && p.is_gated() && p.number <= last;
    let phases = pack.manifest.phases.iter().filter(bare).map(|p| p.number);
    phases.filter(|number| !passed.contains(number)).collect()
}

/// The verification of a version, and the name of its file.
pub fn verification(pack: &Pack, values: &Values, version: i64) -> Result<Option<(String, String)>, Error> {
    let Some(migration) = pack.migration(version) else { return Ok(None) };
    let Some(text) = &migration.verify else { return Ok(None) };
    let file = migration.file("verify");
    let text = variables::substitute(&file, text, &pack.manifest.variables, values)?;
    let query = verify::query(&file, &text)?;
    Ok(Some((file, query)))
}

/// Refuses a pack whose files could not be run, either way, or that do not fit what is applied.
pub fn check(pack: &Pack, values: &Values, known: &[Known]) -> Result<(), Error> {
    check_known(pack, known)?;
    for migration in &pack.migrations {
        let up = steps(pack, values, migration, Direction::Up)?;
        if !known.iter().any(|k| k.version == migration.version && !k.pending()) {
            losses(pack, migration, Direction::Up, &up)?;
        }
        if migration.down.is_some() {
            steps(pack, values, migration, Direction::Down)?;
        }
    }
    Ok(())
}

/// An applied file must still be what it was.
fn check_known(pack: &Pack, known: &[Known]) -> Result<(), Error> {
    for was in known.iter().filter(|k| !k.pending()) {
        let version = was.version;
        let changed = |message: String, hint: &str| Err(Error::new(Kind::Changed, message).hint(hint));
        match pack.migration(version) {
            None if was.state != "applied" => {
                let message = format!("version {version} ({}) is half-way and its file is gone", was.name);
                return Err(
                    Error::new(Kind::RepairNeeded, message).hint("put the file back under its version")
                );
            }
            None => {
                return changed(
                    format!("version {version} ({}) is applied and its file is gone", was.name),
                    "put the file back; to take the version back, run \"strata down\" from a folder that has it",
                );
            }
            Some(is) if was.state == "applied" && is.checksum() != was.checksum => {
                return changed(
                    format!("{} has changed since version {version} was applied", is.file("up")),
                    "restore the file and put the change into a new version",
                );
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn up<'p>(pack: &'p Pack, known: &[Known], target: Target) -> Result<Vec<&'p Migration>, Error> {
    if let Some(half) = known.iter().find(|k| k.state == "reverting") {
        return Err(half_way(half, "down", "strata down 1"));
    }
    let applied = |version: i64| known.iter().any(|k| k.version == version && k.state == "applied");
    let last = known.iter().filter(|k| !k.pending()).map(|k| k.version).max().unwrap_or(i64::MIN);
    let pending: Vec<&Migration> = pack.migrations.iter().filter(|m| !applied(m.version)).collect();
    if let Some(late) = pending.iter().find(|m| m.version < last) {
        let message =
            format!("version {} ({}) is not applied but {last} is: out of order", late.version, late.name);
        return Err(Error::new(Kind::BadPack, message).hint(format!("give it a version above {last}")));
    }
    Ok(match target {
        Target::All => pending,
        Target::Count(n) => pending.into_iter().take(n).collect(),
        Target::Phase(last) => pending.into_iter().filter(|m| m.phase <= last).collect(),
        Target::Version(last) | Target::Goto(last) => {
            pending.into_iter().filter(|m| m.version <= last).collect()
        }
    })
}

fn down<'p>(pack: &'p Pack, known: &[Known], target: Target) -> Result<Vec<&'p Migration>, Error> {
    let mut versions: Vec<&Known> = known.iter().filter(|k| !k.pending()).collect();
    versions.sort_by_key(|k| -k.version);
    let count = match target {
        Target::Count(n) => n,
        Target::Version(stays) | Target::Goto(stays) => versions.iter().filter(|k| k.version > stays).count(),
        Target::All | Target::Phase(_) => versions.len(),
    };
    let found = |k: &&Known| {
        let gone = || {
            Error::new(
                Kind::Changed,
                format!("version {} ({}) is applied and its file is gone", k.version, k.name),
            )
        };
        let migration = pack.migration(k.version).ok_or_else(gone)?;
        if k.finalized {
            let message =
                format!("version {} ({}) cannot be taken back: what it kept was removed", k.version, k.name);
            return Err(Error::new(Kind::Finalized, message).hint(
                "restore a backup from before it; strata.kept says what was removed, by whom and when",
            ));
        }
        match migration.down {
            Some(_) => Ok(migration),
            None => Err(Error::new(Kind::MissingDown, format!("version {} has no down file", k.version))
                .hint(format!("add {}", migration.file("down")))),
        }
    };
    versions.iter().take(count).map(found).collect()
}

fn half_way(known: &Known, way: &str, next: &str) -> Error {
    Error::new(Kind::RepairNeeded, format!("version {} ({}) is half-way {way}", known.version, known.name))
        .hint(format!("run \"{next}\" to finish it"))
}

fn steps(pack: &Pack, values: &Values, migration: &Migration, direction: Direction) -> Result<Move, Error> {
    let declared = &pack.manifest.variables;
    let file = migration.file(direction.name());
    let text = match direction {
        Direction::Up => Some(migration.up.as_str()),
        Direction::Down => migration.down.as_deref(),
    };
    let text = variables::substitute(&file, text.unwrap_or_default(), declared, values)?;
    let verify = match direction {
        Direction::Up => verification(pack, values, migration.version)?.map(|(file, query)| (query, file)),
        Direction::Down => None,
    };
    let Migration { version, name, phase, .. } = migration.clone();
    let steps = number(script::plan(&file, &text)?);
    Ok(Move { version, name, phase, file, steps, verify })
}

/// In a pack that has a contract phase, what throws data away belongs there, and leaves a copy: anything else is refused
/// unless the phase lists the version in `may_drop`.
fn losses(pack: &Pack, migration: &Migration, direction: Direction, moved: &Move) -> Result<(), Error> {
    let phase = pack.phase(migration.phase).cloned().unwrap_or_default();
    if direction == Direction::Down || !pack.has_contract() || phase.may_drop.contains(&migration.version) {
        return Ok(());
    }
    for sql in moved.steps.iter().flat_map(|step| statements(&step.part)) {
        let (why, hint) = match script::loss(sql) {
            None | Some(Loss::Kept(_) | Loss::Type(_)) if phase.contract => continue,
            None => continue,
            Some(loss) if phase.contract => (
                format!("{} keeps no copy", loss.name()),
                "call strata.retire_columns or strata.retire_table, which keep one",
            ),
            Some(loss) => (
                format!("{} belongs into a contract phase, and phase {} is none", loss.name(), phase.number),
                "move it to a version of a contract phase",
            ),
        };
        let message = format!("{}: line {}: {}: {why}", migration.file("up"), sql.line, sql.summary());
        let hint = format!("{hint}, or list {} in may_drop of its phase in pack.toml", migration.version);
        return Err(Error::new(Kind::BadPack, message).hint(hint));
    }
    Ok(())
}

/// A way up of which nothing was committed leaves nothing to take back: its down file would drop what was there before.
fn put_back(migration: &Migration) -> Move {
    let Migration { version, name, phase, .. } = migration.clone();
    Move { version, name, phase, file: migration.file("down"), steps: number(Vec::new()), verify: None }
}

/// Numbers the parts, and closes with a transaction where the last part is none: there the version is marked.
fn number(mut parts: Vec<script::Planned>) -> Vec<Step> {
    if !matches!(parts.last().map(|p| &p.part), Some(Part::Transaction(_))) {
        let settings = parts.last().map(|p| p.settings.clone()).unwrap_or_default();
        parts.push(script::Planned { settings, part: Part::Transaction(Vec::new()) });
    }
    let step = |(index, planned): (usize, script::Planned)| Step {
        number: index as i64 + 1,
        summary: summary(&planned.part),
        checksum: checksum(&texts(&planned).join(";\n")),
        settings: planned.settings,
        part: planned.part,
    };
    parts.into_iter().enumerate().map(step).collect()
}

fn statements(part: &Part) -> &[Sql] {
    match part {
        Part::Transaction(group) => group,
        Part::Alone(sql, _) => std::slice::from_ref(sql),
    }
}

fn texts(planned: &script::Planned) -> Vec<&str> {
    planned.settings.iter().chain(statements(&planned.part)).map(|sql| sql.text.as_str()).collect()
}

fn summary(part: &Part) -> String {
    match part {
        Part::Alone(sql, _) => sql.summary(),
        Part::Transaction(group) => match group.as_slice() {
            [] => "verify and mark".to_owned(),
            [only] => only.summary(),
            [first, rest @ ..] => format!("{} (and {} more)", first.summary(), rest.len()),
        },
    }
}

#[cfg(test)]
mod tests;
