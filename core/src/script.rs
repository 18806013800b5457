//! A migration file as statements, and statements as steps: what may share a transaction does, what refuses one is a
//! step of its own.

mod alone;
mod classify;
mod concurrent;
mod directive;
mod loss;
mod shape;
mod split;
mod writes;

pub use classify::shape;
pub use concurrent::{names, without_concurrently};
pub use directive::Directive;
pub use loss::{Loss, loss};
pub use shape::Shape;
pub use split::{Sql, split};
pub use writes::writes;

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
    /// Settings that the open group makes; they hold for what comes after it.
    made: Vec<Sql>,
    /// Line of the `begin` of the file that is not yet committed.
    begun: Option<usize>,
}

impl Grouping<'_> {
    fn take(&mut self, sql: Sql) -> Result<(), Error> {
        if self.begun.is_some() && !sql.directives.is_empty() {
            return Err(self.refuse(&sql, "a directive between begin and commit"));
        }
        if sql.directives.contains(&Directive::NewTransaction) {
            self.close();
        }
        let bare = sql.directives.contains(&Directive::NoTransaction);
        match shape(&sql) {
            Shape::Begin => self.begin(&sql),
            Shape::Commit => self.commit(&sql),
            Shape::Refused(reason) => Err(self.refuse(&sql, reason)),
            Shape::Setting => {
                self.setting(sql);
                Ok(())
            }
            Shape::Plain if bare => {
                self.alone(sql, Shape::Alone("statement without a transaction"));
                Ok(())
            }
            Shape::Plain => {
                self.open.push(sql);
                Ok(())
            }
            Shape::Call if self.begun.is_some() && !is_backfill(&sql) => {
                // As psql would send it: a procedure that does not commit may run so.
                self.open.push(sql);
                Ok(())
            }
            alone if self.begun.is_some() => {
                let reason = format!("{} cannot run between begin and commit", alone.name());
                Err(self.refuse(&sql, &reason))
            }
            alone => {
                self.alone(sql, alone);
                Ok(())
            }
        }
    }

    /// A setting is made where it stands, and again by every later step: its session may be another one.
    fn setting(&mut self, sql: Sql) {
        if self.begun.is_none() && self.open.is_empty() {
            return self.settings.push(sql);
        }
        self.made.push(sql.clone());
        self.open.push(sql);
    }

    fn alone(&mut self, sql: Sql, shape: Shape) {
        self.close();
        self.parts.push(Planned { settings: self.settings.clone(), part: Part::Alone(sql, shape) });
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
        self.settings.append(&mut self.made);
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

/// `call [strata.]backfill(...)`, which commits each batch.
fn is_backfill(sql: &Sql) -> bool {
    sql.starts(&["call", "strata", ".", "backfill"]) || sql.starts(&["call", "backfill"])
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
        let bare = "select 1;\n-- strata: no transaction\nreindex table partitioned;\nselect 2";
        assert_eq!(outline(bare), "1 !statement without a transaction 1");
    }

    #[test]
    fn a_directive_cannot_cut_a_transaction_of_the_file() {
        for asked in ["new transaction", "no transaction"] {
            let text = format!("begin;\nselect 1;\n-- strata: {asked}\nselect 2;\ncommit;");
            assert!(refusal(&text).ends_with("line 4: select 2: a directive between begin and commit"));
        }
    }

    #[test]
    fn a_call_inside_a_transaction_of_the_file_shares_it() {
        assert_eq!(outline("begin; select 1; call p(); commit; call p();"), "2 !call");
        let backfill = refusal("begin; call strata.backfill(job => 'x'); commit");
        assert!(backfill.ends_with("call cannot run between begin and commit"), "{backfill}");
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
    fn a_setting_inside_a_transaction_holds_for_the_steps_behind_it() {
        let settings = |text: &str| {
            let parts = plan("f", text).expect("plannable");
            let texts = |p: &Planned| p.settings.iter().map(|s| s.text.clone()).collect::<Vec<_>>();
            parts.iter().map(texts).collect::<Vec<_>>()
        };
        let begun = "begin; set a.b = 1; set local c.d = 2; select 1; commit; call p()";
        assert_eq!(settings(begun), [vec![], vec!["set a.b = 1".to_owned()]]);
        let dumped =
            "create table a(); select set_config('search_path', '', false); create table b(); vacuum";
        assert_eq!(outline(dumped), "3 !vacuum", "a setting does not cut a transaction");
        assert_eq!(settings(dumped)[1], ["select set_config('search_path', '', false)"]);
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
        assert!(refusal("begin; do $$ begin commit; end $$; commit").contains("do with a commit cannot run"));
        assert!(refusal("prepare transaction 'x'").contains("two-phase"));
    }

    #[test]
    fn a_file_of_comments_has_no_steps() {
        assert_eq!(outline("-- nothing\n/* at /* all */ */ ;;"), "");
    }
}
