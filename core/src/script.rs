//! A migration file as statements, and statements as steps: what may share a transaction does, what refuses one is a
//! step of its own.

mod classify;
mod concurrent;
mod loss;
mod split;

pub use classify::{Shape, shape};
pub use concurrent::names;
pub use loss::{Loss, loss};
pub use split::{Sql, split};

use crate::error::{Error, Kind};

/// One restartable part of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Statements that share a transaction.
    Transaction(Vec<Sql>),
    /// One statement that refuses a transaction, and what is known about repeating it.
    Alone(Sql, Shape),
}

/// A part and the session settings that the file made before it. They are made again when a run resumes here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `set` statements, in order.
    pub settings: Vec<Sql>,
    /// What the step does.
    pub part: Part,
}

/// Line that starts a new transaction between two statements that could share one.
const NEW_TRANSACTION: &str = "strata: new transaction";

/// Groups the statements of a file. `begin` and `commit` in it are read as the bounds of a group; the runner sends its
/// own. Refuses what it could not run truthfully, with file and line.
pub fn plan(file: &str, text: &str) -> Result<Vec<Planned>, Error> {
    let mut grouping = Grouping { file, ..Default::default() };
    for sql in split(file, text)? {
        grouping.take(sql)?;
    }
    grouping.finish()
}

/// The parts so far and the group that is open.
#[derive(Default)]
struct Grouping<'f> {
    file: &'f str,
    parts: Vec<Planned>,
    settings: Vec<Sql>,
    open: Vec<Sql>,
    /// Line of the `begin` of the file that is not yet committed.
    begun: Option<usize>,
}

impl Grouping<'_> {
    fn take(&mut self, sql: Sql) -> Result<(), Error> {
        if sql.directives.iter().any(|d| d == NEW_TRANSACTION) {
            self.close();
        }
        match shape(&sql) {
            Shape::Begin => self.begin(&sql),
            Shape::Commit => self.commit(&sql),
            Shape::Refused(reason) => Err(self.refuse(&sql, reason)),
            Shape::Setting if self.begun.is_none() => {
                self.close();
                self.settings.push(sql);
                Ok(())
            }
            Shape::Plain | Shape::Setting => {
                self.open.push(sql);
                Ok(())
            }
            alone if self.begun.is_some() => {
                let reason = format!("{} cannot run between begin and commit", alone.name());
                Err(self.refuse(&sql, &reason))
            }
            alone => {
                self.close();
                self.parts.push(Planned { settings: self.settings.clone(), part: Part::Alone(sql, alone) });
                Ok(())
            }
        }
    }

    fn begin(&mut self, sql: &Sql) -> Result<(), Error> {
        if self.begun.is_some() {
            return Err(self.refuse(sql, "a transaction is already open"));
        }
        self.close();
        self.begun = Some(sql.line);
        Ok(())
    }

    fn commit(&mut self, sql: &Sql) -> Result<(), Error> {
        if self.begun.take().is_none() {
            return Err(self.refuse(sql, "there is no begin before this commit"));
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let part = Part::Transaction(std::mem::take(&mut self.open));
            self.parts.push(Planned { settings: self.settings.clone(), part });
        }
    }

    fn finish(mut self) -> Result<Vec<Planned>, Error> {
        if let Some(line) = self.begun {
            return Err(Error::new(
                Kind::BadPack,
                format!("{}: line {line}: begin without commit", self.file),
            ));
        }
        self.close();
        Ok(self.parts)
    }

    fn refuse(&self, sql: &Sql, reason: &str) -> Error {
        Error::new(Kind::BadPack, format!("{}: line {}: {}: {reason}", self.file, sql.line, sql.summary()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a part: the number of statements of a transaction, or `!` and the name of what stands alone.
    fn outline(text: &str) -> String {
        let parts = plan("f.up.sql", text).expect("plannable");
        let letter = |p: &Planned| match &p.part {
            Part::Transaction(group) => group.len().to_string(),
            Part::Alone(_, shape) => format!("!{}", shape.name()),
        };
        parts.iter().map(letter).collect::<Vec<_>>().join(" ")
    }

    fn refusal(text: &str) -> String {
        let err = plan("f.up.sql", text).expect_err("refused");
        assert_eq!(err.kind(), Kind::BadPack);
        err.to_string()
    }

    #[test]
    fn statements_that_may_share_a_transaction_do() {
        assert_eq!(outline("create table a(); create index i on a(x); select 1"), "3");
        let mixed =
            "create table a(); create index concurrently i on a(x); vacuum a; select 1; call p(); select 2";
        assert_eq!(outline(mixed), "1 !create index concurrently !vacuum 1 !call 1");
    }

    #[test]
    fn begin_and_commit_of_the_file_bound_a_group_and_are_not_sent() {
        assert_eq!(outline("begin; select 1; select 2; commit; select 3;"), "2 1");
        assert_eq!(outline("START TRANSACTION; select 1; END;"), "1");
        assert_eq!(
            outline("create function f() returns int language sql begin atomic select 1; end; select 2"),
            "2"
        );
    }

    #[test]
    fn a_directive_ends_the_transaction() {
        assert_eq!(outline("select 1;\n-- strata: new transaction\nselect 2; select 3"), "1 2");
    }

    #[test]
    fn settings_of_the_session_reach_every_later_step() {
        let text =
            "set maintenance_work_mem = '1GB'; create index concurrently i on a(x); set x.y = 1; select 1";
        let parts = plan("f", text).expect("plannable");
        assert_eq!(parts.iter().map(|p| p.settings.len()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(outline("begin; set local x.y = 1; set a.b = 2; select 1; commit"), "3");
    }

    #[test]
    fn refuses_what_it_could_not_run_truthfully() {
        assert!(refusal("begin; select 1").ends_with("line 1: begin without commit"));
        assert!(refusal("select 1;\ncommit").contains("line 2: commit: there is no begin"));
        assert!(refusal("select 1; rollback").contains("rollback"));
        let inside = refusal("begin;\nselect 1;\ncreate index concurrently i on a(x);\ncommit");
        assert!(inside.contains("line 3") && inside.contains("between begin and commit"), "{inside}");
        assert!(refusal("create index concurrently on a(x)").contains("name the index"));
        assert!(refusal("copy t from stdin").contains("stdin"));
        assert!(refusal("prepare transaction 'x'").contains("two-phase"));
    }

    #[test]
    fn a_file_of_comments_has_no_steps() {
        assert_eq!(outline("-- nothing\n/* at /* all */ */ ;;"), "");
    }
}
