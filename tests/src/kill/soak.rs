//! Kills at random moments, several in a row, while an application writes.

use super::{Executor, Kind, Way, World, cells, inside};
use crate::{Database, Running};
use postgres::{Client, NoTls};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest that a run is left alone before it is killed. Unit: milliseconds. An undisturbed run of the pack takes about half
/// as long, so that kills fall everywhere in it and now and then behind it.
const LONGEST: u64 = 400;

/// Writers beside the run.
const WRITERS: usize = 2;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Below `sides`. splitmix64.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// One run and its kills: how each, and after how many milliseconds.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Who turns the run.
    pub executor: Executor,
    /// Where the pack goes.
    pub way: Way,
    /// One after the other.
    pub kills: Vec<(Kind, u64)>,
    seed: u64,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: Vec<String> =
            self.kills.iter().map(|(kind, ms)| format!("{kind:?} after {ms} ms")).collect();
        write!(f, "{} {}: {}", self.executor, self.way.name(), kills.join(", "))
    }
}

impl Trial {
    /// The one that a seed names.
    pub fn of(seed: u64) -> Trial {
        let mut dice = Dice::new(seed);
        let executor = if dice.roll(2) == 0 { Executor::Outside } else { Executor::Inside };
        let way = if dice.roll(2) == 0 { Way::Up } else { Way::Down };
        let count = 1 + dice.roll(3);
        let kill = |_| (Kind::ALL[dice.roll(4) as usize], dice.roll(LONGEST));
        Trial { executor, way, kills: (0..count).map(kill).collect(), seed }
    }

    /// Does it: how many of its kills met a run, or what was not as it must be.
    pub fn run(&self, world: &World) -> Result<usize, String> {
        catch_unwind(AssertUnwindSafe(|| self.go(world))).map_err(|what| {
            world.victim.ready();
            cells::said(what.as_ref())
        })
    }

    fn go(&self, world: &World) -> usize {
        let database = world.database(self.way);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let write = |number| Writer::new(&database, self.seed ^ number).run(&stop);
            let writers: Vec<_> =
                (1..=WRITERS as u64).map(|number| scope.spawn(move || write(number))).collect();
            let met = catch_unwind(AssertUnwindSafe(|| self.kill_all(world, &database)));
            stop.store(true, Ordering::Relaxed);
            let counts: Vec<Counts> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            let met = met.unwrap_or_else(|what| std::panic::resume_unwind(what));
            assert_nothing_is_lost(&database, &counts);
            world.assert_holds(&database, self.way);
            met
        })
    }

    fn kill_all(&self, world: &World, database: &Database) -> usize {
        let met =
            self.kills.iter().filter(|(kind, after)| self.kill(world, database, (*kind, *after))).count();
        match self.executor {
            Executor::Outside => drop(world.strata(database, world.victim.port()).run(self.way.words()).ok()),
            Executor::Inside => inside::take_up(database, self.way, self.seed),
        }
        met
    }

    /// Starts the run and kills it; false where it had ended before.
    fn kill(&self, world: &World, database: &Database, (kind, after): (Kind, u64)) -> bool {
        let run = match self.executor {
            Executor::Outside => Some(world.strata(database, world.victim.port()).start(self.way.words())),
            Executor::Inside => {
                inside::start(database, self.way);
                None
            }
        };
        std::thread::sleep(Duration::from_millis(after));
        let met = match (run, kind) {
            (Some(run), Kind::Runner) => {
                run.kill();
                true
            }
            (run, _) => strike(world, database, (kind, self.executor), run),
        };
        if matches!(kind, Kind::Backend | Kind::Stop) {
            database.reconnect();
        }
        inside::until_no_worker(database);
        met
    }
}

/// Strikes the session of the executor, and hears out the command line.
fn strike(
    world: &World,
    database: &Database,
    (kind, executor): (Kind, Executor),
    run: Option<Running>,
) -> bool {
    let whose = match executor {
        Executor::Outside => "application_name = 'strata'",
        Executor::Inside => "backend_type = 'strata run'",
    };
    let found = format!(
        "select pid from pg_stat_activity where datname = current_database() and {whose} order by backend_start desc"
    );
    let pid = database.column::<i32>(&found).pop();
    let met = match (pid, kind) {
        (_, Kind::Stop) => {
            world.victim.crash();
            pid.is_some()
        }
        // The process may have ended since it was found: then nothing is met.
        (Some(pid), Kind::Backend) => world.victim.kill_process(pid),
        (Some(pid), _) => {
            let ended = world.victim.connect().query_one("select pg_terminate_backend($1, 60000)", &[&pid]);
            ended.is_ok_and(|row| row.get(0))
        }
        (None, _) => false,
    };
    if let Some(run) = run {
        let code = run.end().code;
        assert!(matches!(code, Some(0 | 10)), "exit {code:?}");
    }
    met
}

/// What a writer has done.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// The server said that it is committed.
    committed: i64,
    /// The server said nothing any more.
    in_doubt: i64,
}

/// A client of the application that a crash does not keep from going on.
struct Writer {
    url: String,
    dice: Dice,
}

impl Writer {
    fn new(database: &Database, seed: u64) -> Writer {
        Writer { url: database.url(), dice: Dice::new(seed) }
    }

    fn run(mut self, stop: &AtomicBool) -> Counts {
        let (mut counts, mut session) = (Counts::default(), None);
        while !stop.load(Ordering::Relaxed) {
            match session.take().or_else(|| Client::connect(&self.url, NoTls).ok()) {
                Some(client) => session = self.write(client, &mut counts),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        counts
    }

    /// One transaction; the session, if it is still there.
    fn write(&mut self, mut client: Client, counts: &mut Counts) -> Option<Client> {
        let account = 1 + self.dice.roll(super::pack::ROWS as u64);
        let sql = format!(
            "begin; update account set seen = seen + 1 where id = {account}; insert into ledger values ({account}); commit"
        );
        match client.batch_execute(&sql) {
            Ok(()) => counts.committed += 1,
            Err(cause) if cause.as_db_error().is_some_and(|db| !db.code().code().starts_with("57P")) => {
                panic!("a writer was refused: {cause:?}")
            }
            Err(_) => {
                counts.in_doubt += 1;
                return None;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
        Some(client)
    }
}

/// What was committed is there, whole, and nothing else is.
fn assert_nothing_is_lost(database: &Database, writers: &[Counts]) {
    let committed: i64 = writers.iter().map(|counts| counts.committed).sum();
    let in_doubt: i64 = writers.iter().map(|counts| counts.in_doubt).sum();
    let (seen, written): (i64, i64) =
        (database.value("select sum(seen) from account"), database.value("select count(*) from ledger"));
    assert_eq!(seen, written, "both halves of every write");
    assert!(
        (committed..=committed + in_doubt).contains(&written),
        "{written} writes are there, {committed} were committed and {in_doubt} are in doubt"
    );
}
