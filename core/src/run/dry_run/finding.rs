//! What a dry run has found out about each step.

use crate::error::Error;
use crate::plan::Direction;
use crate::statement::{Row, column};
use std::collections::HashMap;

/// Lock modes of a relation, as `pg_locks` names them and as people do, and what others cannot do meanwhile; the weakest
/// first.
const MODES: [(&str, &str, &str); 7] = [
    ("RowShareLock", "row share", ""),
    ("RowExclusiveLock", "row exclusive", ""),
    ("ShareUpdateExclusiveLock", "share update exclusive", ""),
    ("ShareLock", "share", "stops writers"),
    ("ShareRowExclusiveLock", "share row exclusive", "stops writers"),
    ("ExclusiveLock", "exclusive", "stops writers"),
    ("AccessExclusiveLock", "access exclusive", "stops readers and writers"),
];

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went through, and was undone.
    Passed,
    /// It went through on an empty copy of the schema.
    OnSchema,
    /// It is never tried, nothing depends on it, and why.
    LeftOut(String),
    /// It was not tried, and why.
    NotTried(String),
    /// It failed, and with what.
    Failed(String),
}

/// Why a dry run ended before its last step though nothing had failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// For the sake of others: at another time it may come to its end.
    Busy(String),
    /// What comes next cannot be tried in one transaction.
    Refused(String),
}

impl Ended {
    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Ended::Busy(why) | Ended::Refused(why) => why,
        }
    }
}

/// The strongest new lock of a step on a relation that others use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Schema and name.
    pub relation: String,
    /// As the documentation of Postgres calls it, in lower case.
    pub mode: &'static str,
    /// Who is stopped by it; empty where neither readers nor writers are.
    pub stops: &'static str,
    strength: usize,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// From 1 within the version.
    pub step: i64,
    /// Steps of the version.
    pub of: usize,
    /// One line.
    pub summary: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was done otherwise than a run would do it.
    pub remarks: Vec<String>,
    /// How long its statements took. Unit: milliseconds, of the server's clock.
    pub ms: i64,
    /// Rows that its statements returned or touched.
    pub rows: u64,
    /// The strongest first.
    pub locks: Vec<Lock>,
}

/// What a dry run has found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which way it went.
    pub direction: Direction,
    /// Every step that a run would take, in order.
    pub steps: Vec<Finding>,
    /// Phases without migrations whose gate is met.
    pub passed: Vec<i64>,
    /// Sequences whose numbers were used up: that is not undone.
    pub sequences: Vec<String>,
    /// Why it ended before its last step though nothing had failed.
    pub ended: Option<Ended>,
    /// What a run would end with.
    pub failure: Option<Error>,
}

impl Trial {
    /// Steps with a verdict like this one.
    pub fn count(&self, like: impl Fn(&Verdict) -> bool) -> usize {
        self.steps.iter().filter(|step| like(&step.verdict)).count()
    }
}

/// Remark of a concurrent statement that was tried as a plain one.
pub(super) const PLAIN: &str = "tried without \"concurrently\"";

impl Trial {
    /// True if there is something that an empty copy of the schema can tell.
    pub fn wants_shadow(&self) -> bool {
        let open = |step: &Finding| {
            matches!(step.verdict, Verdict::NotTried(_)) || step.remarks.iter().any(|remark| remark == PLAIN)
        };
        self.failure.is_none() && !matches!(self.ended, Some(Ended::Busy(_))) && self.steps.iter().any(open)
    }

    /// Adds what a shadow has told. What went through on the data is not called in question by a copy that has none, unless
    /// it was another statement there.
    pub fn complete(&mut self, shadow: &Trial) {
        let mut failed = false;
        for step in &mut self.steps {
            let same = |other: &&Finding| other.version == step.version && other.step == step.step;
            let Some(other) = shadow.steps.iter().find(same) else { continue };
            let plain = step.remarks.iter().any(|remark| remark == PLAIN);
            match (&step.verdict, &other.verdict) {
                (Verdict::NotTried(_), Verdict::Passed) => step.verdict = Verdict::OnSchema,
                (Verdict::NotTried(_), Verdict::Failed(_)) => {
                    (step.verdict, failed) = (other.verdict.clone(), true);
                }
                (Verdict::NotTried(why), Verdict::NotTried(more) | Verdict::LeftOut(more)) if why != more => {
                    step.verdict = Verdict::NotTried(format!("{why}; on a copy of the schema: {more}"));
                }
                (Verdict::Passed, Verdict::Failed(_)) if plain => {
                    (step.verdict, failed) = (other.verdict.clone(), true);
                }
                (Verdict::Passed, Verdict::Passed) if plain => {
                    step.remarks.push("and as it is on an empty copy of the schema".to_owned());
                }
                _ => {}
            }
            let told = |remark: &String| !step.remarks.contains(remark);
            let more: Vec<String> = other.remarks.iter().filter(|remark| told(remark)).cloned().collect();
            if step.verdict == Verdict::OnSchema {
                step.remarks.extend(more);
            }
        }
        self.failure = shadow.failure.clone().filter(|_| failed);
        if self.count(|verdict| matches!(verdict, Verdict::NotTried(_))) == 0 {
            self.ended = None;
        }
    }
}

/// Relations that are there before a dry run, and what it holds on them so far.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Name and kind by oid.
    relations: HashMap<String, (String, String)>,
    /// Strength by oid.
    held: HashMap<String, usize>,
}

impl Held {
    /// From `sql/query/dry_run_relations.sql`.
    pub(super) fn know(&mut self, rows: &[Row]) {
        let relations = rows.iter().filter(|row| column(row, 0) == "relation");
        let pair = |row: &Row| (column(row, 2).to_owned(), column(row, 3).to_owned());
        self.relations = relations.map(|row| (column(row, 1).to_owned(), pair(row))).collect();
    }

    /// From `sql/query/dry_run_look.sql`: the locks that are new, the strongest first.
    pub(super) fn take(&mut self, rows: &[Row]) -> Vec<Lock> {
        let mut new: HashMap<&str, usize> = HashMap::new();
        for row in rows.iter().filter(|row| column(row, 0) == "lock") {
            let (oid, mode) = (column(row, 1), column(row, 2));
            let Some(strength) = MODES.iter().position(|(name, ..)| *name == mode) else { continue };
            if self.relations.contains_key(oid) && self.held.get(oid).is_none_or(|held| *held < strength) {
                let most = new.entry(oid).or_default();
                *most = strength.max(*most);
            }
        }
        let lock = |(oid, strength): (&&str, &usize)| {
            let (_, mode, stops) = MODES[*strength];
            Lock { relation: self.relations[*oid].0.clone(), mode, stops, strength: *strength }
        };
        let mut locks: Vec<Lock> = new.iter().map(lock).collect();
        locks.sort_by(|a, b| b.strength.cmp(&a.strength).then_with(|| a.relation.cmp(&b.relation)));
        self.held.extend(new.into_iter().map(|(oid, strength)| (oid.to_owned(), strength)));
        locks
    }

    /// True where others may have to wait.
    pub(super) fn any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Sequences that have given out numbers.
    pub(super) fn sequences(&self) -> Vec<String> {
        let used = self.held.keys().filter_map(|oid| self.relations.get(oid));
        let mut names: Vec<String> =
            used.filter(|(_, kind)| kind == "S").map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }
}

/// Adds the locks of a further statement to those of its step.
pub(super) fn merge(locks: &mut Vec<Lock>, more: Vec<Lock>) {
    for lock in more {
        match locks.iter_mut().find(|known| known.relation == lock.relation) {
            Some(known) if known.strength < lock.strength => *known = lock,
            Some(_) => {}
            None => locks.push(lock),
        }
    }
    locks.sort_by(|a, b| b.strength.cmp(&a.strength).then_with(|| a.relation.cmp(&b.relation)));
}
