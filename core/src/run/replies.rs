//! What the reply to each task means for the rest of a run.

use super::patience::Patience;
use super::tasks::{Place, Task, taken_over};
use super::{Event, Run, tasks};
use crate::error::{DbError, Error, Kind};
use crate::plan::{self, Known};
use crate::script::{self, Part, Shape};
use crate::statement::{Reply, Row, column};
use crate::{variables, verify};
use std::num::NonZeroU32;

/// How often a run sends again what a cancel has met behind its failure. Chosen: more than a person sends, and an end where a
/// timeout says the same.
const REPEATS: u32 = 3;

impl Run {
    /// What came of the statement that [`Run::turn`] gave.
    pub fn replied(&mut self, reply: Reply) {
        let Some(task) = self.current.take().or_else(|| self.together.pop_front()) else { return };
        match reply {
            Ok(rows) => {
                if let Err(error) = self.went(&task, &rows) {
                    self.together.clear();
                    self.fail(&task, error);
                }
            }
            Err(cause) => {
                self.together.clear();
                match cause.fatal {
                    true => self.lost(cause),
                    false => self.broke(&task, cause),
                }
            }
        }
    }

    fn went(&mut self, task: &Task, rows: &[Row]) -> Result<(), Error> {
        match task {
            Task::Lock => self.tried_lock(rows),
            Task::LockHolder => self.told_holder(rows),
            Task::Variables => self.read_variables(rows),
            Task::Passed => {
                self.passed = rows.iter().filter_map(|row| column(row, 0).parse().ok()).collect();
                Ok(())
            }
            Task::Migrations => {
                self.known = rows.iter().map(Known::read).collect();
                self.unsettled = rows.first().is_some_and(|row| column(row, 5) == "true");
                self.ask_for_the_same();
                Ok(())
            }
            Task::SameFiles => self.no_other_name(rows),
            Task::Counted => {
                self.read_counted(rows);
                Ok(())
            }
            Task::Ledgers => self.read_ledgers(rows),
            Task::Claim => self.claimed(rows),
            Task::Steps => self.read_steps(rows),
            Task::Check(version, file, _) => {
                self.checked(*version, file, Ok(rows));
                Ok(())
            }
            Task::Gate(phase) => self.gate(*phase, rows),
            Task::Inspect(place) => self.inspected(*place, rows),
            Task::Confirm(place) => self.confirmed(*place, rows),
            Task::Leftovers(place) => self.found_leftovers(*place, rows),
            Task::Blockers(broken) => {
                self.found_blockers(broken, rows);
                Ok(())
            }
            Task::StepStart(_) if says_true(rows, 0) => Err(self.cancelled(task)),
            Task::Listen(_) if says_true(rows, 0) => Err(self.cancelled(task)),
            Task::Verify((m, _)) => self.verified(*m, rows),
            Task::StopAsked(broken) => {
                self.stopping = rows.first().is_some_and(|row| column(row, 0) == "true");
                let (task, cause) = broken.as_ref();
                self.end_broken(task, cause.clone());
                Ok(())
            }
            other => {
                self.note(other, rows);
                Ok(())
            }
        }
    }

    fn note(&mut self, task: &Task, rows: &[Row]) {
        match task {
            Task::StepStart(_) => self.patience = Patience::default(),
            Task::Intent(_) => {
                self.intent = rows.first().map(|row| column(row, 0).to_owned()).unwrap_or_default();
            }
            Task::Begin(_) | Task::ReadOnly => self.in_transaction = true,
            Task::Rollback => self.in_transaction = false,
            Task::Commit((m, s)) => {
                self.in_transaction = false;
                if self.is_last((*m, *s)) {
                    self.report.moved.push((self.moves[*m].version, self.moves[*m].name.clone()));
                }
            }
            _ => {}
        }
    }

    fn tried_lock(&mut self, rows: &[Row]) -> Result<(), Error> {
        if rows.first().is_some_and(|row| column(row, 0) == "true") {
            self.locked = true;
            self.queue.extend(super::adoption::reading(&self.pack, &self.request));
            return Ok(());
        }
        if self.stopping {
            return Err(Error::new(Kind::Interrupted, "stopped while waiting for the lock of the pack"));
        }
        self.lock_tries += 1;
        match self.lock_tries == 1 || self.out_of_patience() {
            true => self.queue.push_back(Task::LockHolder),
            false => self.queue.extend([Task::Wait(tasks::LOCK_POLL), Task::Lock]),
        }
        Ok(())
    }

    fn out_of_patience(&self) -> bool {
        tasks::LOCK_POLL * self.lock_tries > self.request.lock_patience
    }

    /// Told once when the waiting begins, and as the error when it was in vain.
    fn told_holder(&mut self, rows: &[Row]) -> Result<(), Error> {
        let holder = rows.first().map(|row| format!("pid {}, {}", column(row, 0), column(row, 1)));
        let holder = holder.unwrap_or_else(|| "an executor that has just ended".to_owned());
        if !self.out_of_patience() {
            self.queue.extend([
                Task::Tell(Event::Waiting { holder }),
                Task::Wait(tasks::LOCK_POLL),
                Task::Lock,
            ]);
            return Ok(());
        }
        let pack = &self.pack.manifest.name;
        let message = format!("timeout: can't acquire database lock: pack {pack} is being moved by {holder}");
        Err(Error::new(Kind::Locked, message).hint("wait for it to end, or raise --lock-timeout"))
    }

    fn read_variables(&mut self, rows: &[Row]) -> Result<(), Error> {
        let pair = |row: &Row| (column(row, 0).to_owned(), column(row, 1).to_owned());
        self.stored = rows.iter().map(pair).collect();
        self.values = variables::resolve(&self.pack.manifest.variables, &self.pack.given, &self.stored)?;
        Ok(())
    }

    fn claimed(&mut self, rows: &[Row]) -> Result<(), Error> {
        let row = rows.first().ok_or_else(taken_over)?;
        self.id = column(row, 0).to_owned();
        self.attempt = column(row, 1).parse().unwrap_or(0);
        self.report.run = Some(self.id.clone());
        self.queue.push_back(Task::Steps);
        Ok(())
    }

    fn read_steps(&mut self, rows: &[Row]) -> Result<(), Error> {
        let number = |row: &Row, index| column(row, index).parse().unwrap_or(-1);
        for row in rows {
            let state = (column(row, 2).to_owned(), column(row, 3).to_owned());
            self.begun.insert((number(row, 0), number(row, 1)), state);
        }
        self.forget_finished();
        self.queue.push_back(Task::Move(0));
        Ok(())
    }

    /// Steps of a version that stands untouched tell of an earlier time: it was finished, or never marked.
    fn forget_finished(&mut self) {
        let half: Vec<i64> = self
            .known
            .iter()
            .filter(|k| ["applying", "reverting"].contains(&k.state.as_str()))
            .map(|k| k.version)
            .collect();
        self.begun.retain(|(version, _), _| half.contains(version));
    }

    /// Queues the gate of a phase and the steps of a version, or the end.
    pub(super) fn begin_move(&mut self, m: usize) {
        if self.stopping {
            return self.end(m);
        }
        if let Some(phase) = self.gates(m).first() {
            self.clean();
            let asked = self.ask_gate(*phase);
            self.queue.push_back(Task::Move(m));
            return asked.unwrap_or_else(|error| self.fail(&Task::Gate(*phase), error));
        }
        if m == self.moves.len() {
            return self.end(m);
        }
        if let Err(error) = self.no_fewer_steps(m) {
            return self.fail(&Task::Move(m), error);
        }
        let event = self.announcement(&self.moves[m]);
        self.queue.extend([Task::Tell(event), Task::Step((m, 0))]);
    }

    /// Steps that are done must still be in the file.
    fn no_fewer_steps(&self, m: usize) -> Result<(), Error> {
        let (version, steps) = (self.moves[m].version, self.moves[m].steps.len() as i64);
        let done = |(&(of, number), (_, state)): (&(i64, i64), &(String, String))| {
            (of == version && state == "done").then_some(number)
        };
        match self.begun.iter().filter_map(done).max() {
            Some(done) if done > steps => {
                let message =
                    format!("version {version} has {steps} steps and step {done} of it is done already");
                Err(Error::new(Kind::Changed, message)
                    .hint("put the steps back, or run \"strata down 1\" first"))
            }
            _ => Ok(()),
        }
    }

    /// What the files before may have left in the session is undone, before anything else is done in it.
    fn clean(&mut self) {
        self.queue.extend(self.soiled.take().map(|_| Task::Reset));
    }

    fn end(&mut self, m: usize) {
        let finished = m == self.moves.len() && self.gates(m).is_empty();
        let state = match (finished, self.handing_back) {
            (true, _) => "succeeded",
            (false, true) => "queued",
            (false, false) => "cancelled",
        };
        self.clean();
        self.queue.extend([Task::RunEnd(state), Task::Unlock]);
        if !finished {
            let next = self
                .moves
                .get(m)
                .map_or_else(|| "the last gate".into(), |m| format!("version {}", m.version));
            let message = format!("stopped before {next}");
            self.failure = Some(Error::new(Kind::Interrupted, message).hint("run the same command to go on"));
        }
    }

    /// The tasks of a step; what an earlier attempt finished is passed over.
    pub(super) fn begin_step(&mut self, place: Place) {
        let version = self.moves[place.0].version;
        let step = self.step(place).clone();
        if self.is_done(version, &step) {
            return match self.same_text(version, &step) {
                Ok(()) => self.pass_over(place),
                Err(error) => self.fail(&Task::Step(place), error),
            };
        }
        let (number, of, summary) = (step.number, self.moves[place.0].steps.len(), step.summary);
        let soiled = self.soiled.replace(place.0).is_some_and(|by| by != place.0);
        let first = soiled
            .then_some(Task::Reset)
            .into_iter()
            .chain([Task::StepStart(place), Task::Session(place)])
            .collect();
        self.queue.extend([Task::Together(first), Task::Tell(Event::Step { number, of, summary })]);
        self.push_rest(place);
    }

    /// A further try of a step, from the session on. What it has prepared outlives the transaction that was undone.
    pub(super) fn push_attempt(&mut self, place: Place) {
        let prepares = |sql: &script::Sql| sql.words.first().is_some_and(|word| word == "prepare");
        let forgets = self.step(place).statements().iter().any(prepares);
        self.queue.extend(forgets.then_some(Task::Forget(place)));
        self.queue.push_back(Task::Session(place));
        self.push_rest(place);
    }

    /// The session of a step as its file has set it.
    pub(super) fn push_settings(&mut self, place: Place) {
        let settings = self.step(place).settings.len();
        self.queue.extend((0..settings).map(|i| Task::Setting(place, i)));
    }

    /// What follows on the session of a step: the settings of the file, then what it does.
    fn push_rest(&mut self, place: Place) {
        self.push_settings(place);
        self.queue.extend(self.is_reindex(place).then_some(Task::Intent(place)));
        match self.is_inspected(place) {
            true => self.queue.push_back(Task::Inspect(place)),
            false => self.push_body(place),
        }
    }

    /// A finished step is not repeated. One that was not the last when it was finished, and is now that the file was
    /// mended, has not marked its version: a step of its own does that.
    fn pass_over(&mut self, place: Place) {
        if self.is_last(place) {
            let closing = self.step(place).closing();
            self.moves[place.0].steps.push(closing);
        }
        self.queue.push_back(Task::After(place));
    }

    fn is_last(&self, (m, s): Place) -> bool {
        s + 1 == self.moves[m].steps.len()
    }

    fn same_text(&self, version: i64, step: &plan::Step) -> Result<(), Error> {
        let (was, _) = &self.begun[&(version, step.number)];
        if *was == step.checksum {
            return Ok(());
        }
        let message =
            format!("step {} of version {version} is done and its text has changed since", step.number);
        Err(Error::new(Kind::Changed, message)
            .hint("restore it and put the change behind it, or run \"strata down 1\" first"))
    }

    /// The statements and the outcome.
    pub(super) fn push_body(&mut self, place: Place) {
        let group = match &self.step(place).part {
            Part::Alone(..) => None,
            Part::Transaction(group) => Some(group.len()),
        };
        match group {
            None => {
                self.queue.push_back(Task::Statement(place, 0));
                self.queue.extend(self.is_index_build(place).then_some(Task::Confirm(place)));
                self.push_done(place);
            }
            Some(statements) => self.push_transaction(place, statements),
        }
        self.queue.push_back(Task::After(place));
    }

    /// The outcome of a step that stands alone.
    pub(super) fn push_done(&mut self, place: Place) {
        self.queue.push_back(Task::Together(vec![Task::OwnRole(place), Task::StepDone(place)]));
    }

    /// The last transaction of a version verifies it and marks it.
    fn push_transaction(&mut self, place: Place, statements: usize) {
        let last = self.is_last(place);
        let verify = last && self.moves[place.0].verify.is_some();
        let begin = std::iter::once(Task::Begin(place));
        let body = begin.chain((0..statements).map(|i| Task::Statement(place, i)));
        let done = if last { Task::MigrationDone(place) } else { Task::StepDone(place) };
        let end = [Task::OwnRole(place), done, Task::Commit(place)];
        match (verify, self.may_go_together(place)) {
            (true, true) => {
                let body = body.chain([Task::Verify(place)]).collect();
                self.queue.extend([Task::Together(body), Task::Together(end.into())]);
            }
            (true, false) => self.queue.extend(body.chain([Task::Verify(place)]).chain(end)),
            (false, true) => self.queue.push_back(Task::Together(body.chain(end).collect())),
            (false, false) => self.queue.extend(body.chain(end)),
        }
    }

    /// A setting between two statements may change how a server reads the text of the second.
    fn may_go_together(&self, place: Place) -> bool {
        !self.step(place).statements().iter().any(|sql| matches!(script::shape(sql), Shape::Setting))
    }

    /// After a step: the next one, or the next version.
    pub(super) fn after_step(&mut self, (m, s): Place) {
        if s + 1 < self.moves[m].steps.len() {
            return self.queue.push_back(Task::Step((m, s + 1)));
        }
        let event = self.finished(&self.moves[m]);
        self.queue.extend([Task::Tell(event), Task::Move(m + 1)]);
    }

    fn verified(&mut self, m: usize, rows: &[Row]) -> Result<(), Error> {
        let file = self.moves[m].verify.as_ref().map_or("", |(_, file)| file.as_str());
        verify::judge(file, &verify::checks(file, rows)?)
    }

    /// A statement failed at the server.
    fn broke(&mut self, task: &Task, cause: DbError) {
        if self.failure.is_some() {
            return match cause.sqlstate.as_str() {
                "57014" if self.repeats < REPEATS => self.repeat(task),
                _ => self.could_not_clean_up(task),
            };
        }
        if let Task::Blockers(broken) = task {
            return self.found_blockers(broken, &[]);
        }
        if self.is_blocked(task, &cause) {
            return self.blocked(task, cause);
        }
        if cause.sqlstate == "42704" && self.dropped_before(task) {
            return;
        }
        if let (Task::Check(version, file, _), false) = (task, cause.sqlstate == "57014") {
            return self.checked(*version, file, Err(&cause));
        }
        if let Task::StopAsked(broken) = task {
            // The question could not be asked: what it was about failed all the same.
            let (task, cause) = broken.as_ref();
            return self.end_broken(task, cause.clone());
        }
        if cause.sqlstate == "57014" && !self.stopping && self.attempt > 0 {
            // A timeout of the file, or the operator in another session: the run says which.
            self.queue.clear();
            self.queue.extend(self.in_transaction.then_some(Task::Rollback));
            self.queue.extend(task.place().map(Task::OwnRole));
            self.queue.push_back(Task::StopAsked(Box::new((task.clone(), cause))));
            return;
        }
        self.end_broken(task, cause);
    }

    /// A cancel that comes late meets what keeps the books of it.
    fn repeat(&mut self, task: &Task) {
        self.repeats += 1;
        self.queue.push_front(task.clone());
    }

    fn end_broken(&mut self, task: &Task, cause: DbError) {
        let doing = self.doing_at(task, cause.position);
        let cause = self.advise(task, cause);
        let error = match self.stopping && cause.sqlstate == "57014" {
            true => Error::new(Kind::Interrupted, format!("{doing}: cancelled"))
                .hint("run the same command to go on"),
            false => task.failed(&doing, cause.clone()),
        };
        self.end_failed(task, error, cause);
    }

    /// The operator was heard between two statements.
    fn cancelled(&self, task: &Task) -> Error {
        Error::new(Kind::Interrupted, format!("{}: cancelled", self.doing(task)))
            .hint("run the same command to go on")
    }

    /// What was being done, for a message: version, step, file and line, or the task.
    pub(super) fn doing(&self, task: &Task) -> String {
        self.doing_at(task, None)
    }

    fn doing_at(&self, task: &Task, position: Option<NonZeroU32>) -> String {
        let line = self.place_in_file(task, position).map(|place| format!(", {place}")).unwrap_or_default();
        match task.place() {
            Some((m, s)) => {
                format!("version {} ({}) step {}{line}", self.moves[m].version, self.moves[m].name, s + 1)
            }
            None => format!("pack {}: {}", self.pack.manifest.name, task.name()),
        }
    }

    /// File and line of what failed, where it is of a file.
    fn place_in_file(&self, task: &Task, position: Option<NonZeroU32>) -> Option<String> {
        let (place, sql) = match task {
            Task::Setting(place, index) => (place, self.step(*place).settings.get(*index)?),
            Task::Statement(place, index) => (place, self.step(*place).statements().get(*index)?),
            Task::Verify(place) => return self.moves[place.0].verify.as_ref().map(|(_, file)| file.clone()),
            _ => return None,
        };
        Some(format!("{} line {}", self.moves[place.0].file, sql.line_of(position)))
    }

    /// A rule failed.
    pub(super) fn fail(&mut self, task: &Task, error: Error) {
        let record = DbError {
            sqlstate: error.sqlstate().to_owned(),
            message: error.message().to_owned(),
            detail: error.get_detail().map(Into::into),
            hint: error.get_hint().map(Into::into),
            ..DbError::default()
        };
        self.end_failed(task, error, record);
    }

    /// Queues what a failure leaves to do: undo, record, give the lock back.
    pub(super) fn end_failed(&mut self, task: &Task, error: Error, record: DbError) {
        if self.failure.is_some() {
            // The failure of a clean-up does not hide what it cleans up after.
            return;
        }
        self.queue.clear();
        self.queue.extend(self.in_transaction.then_some(Task::Rollback));
        if error.kind() != Kind::Interrupted {
            self.push_clean_up(task);
        }
        // First, so that the failure of a file that took another role, or made its session read-only, is recorded too.
        self.queue.extend((self.attempt > 0).then_some(Task::Reset));
        match task.place() {
            Some(place) if self.attempt > 0 => {
                let state = if error.kind() == Kind::Interrupted { "cancelled" } else { "failed" };
                self.queue.push_back(Task::StepFailed(place, state, record));
            }
            _ if self.attempt > 0 => {
                self.queue.push_back(Task::RunEnd(if error.kind() == Kind::GateNotMet {
                    "waiting"
                } else {
                    "cancelled"
                }));
            }
            _ => {}
        }
        self.queue.extend(self.locked.then_some(Task::Unlock));
        self.failure = Some(error);
    }

    /// The connection is gone, and with it every way to record anything: the state says `running`, the next run of the
    /// pack finds the lock free and carries on.
    fn lost(&mut self, cause: DbError) {
        self.queue.clear();
        let message = format!("the connection was lost: {}", cause.message);
        let hint = "run the same command again: it goes on where this one ended";
        self.failure.get_or_insert(Error::new(Kind::CannotConnect, message).hint(hint));
    }
}

fn says_true(rows: &[Row], index: usize) -> bool {
    rows.first().is_some_and(|row| column(row, index) == "true")
}
