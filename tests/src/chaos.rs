//! A bad day of workers: people edit while they embed, one of them is killed every second, the provider fails now and then,
//! and some texts are poison. What must be true in the end is counted here, and judged by a test and by a benchmark.

use crate::notes::{self, MODEL};
use crate::provider_server::{Behaviour, DIMENSIONS, ProviderServer, vector_of};
use crate::strata::Running;
use crate::{Database, Strata};
use pgvector::Vector;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longest that it may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How bad a day.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// Notes, all without a vector in the beginning.
    pub rows: u32,
    /// One in so many of them is poison.
    pub poison: u32,
    /// Time that the provider takes for a call.
    pub latency: Duration,
    /// Between two kills.
    pub kill: Duration,
    /// One call in so many is answered 429 or 500, or not at all.
    pub faults: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evening {
    /// Rows with the vector of their text.
    pub right: usize,
    /// Rows with another one.
    pub stale: usize,
    /// Rows that are no poison and have none.
    pub lost: usize,
    /// Poison that is set aside.
    pub dead: usize,
    /// What else is set aside.
    pub wrongly_dead: usize,
    /// Poison.
    pub poison: usize,
    /// Edits.
    pub edits: usize,
    /// Workers that were killed.
    pub kills: usize,
    /// Calls that were spoilt.
    pub faults: usize,
    /// Calls.
    pub calls: usize,
    /// Texts in calls that were answered with vectors.
    pub texts: usize,
}

/// Lives through it.
pub fn live(day: Day) -> Evening {
    let database = notes::database("openai");
    let server = ProviderServer::start(day.latency, move |call, texts| behaviour(day, call, texts));
    notes::write(&database, day.rows);
    database.run(&format!(
        "update note set body = 'poison ' || title where split_part(title, ' ', 2)::int % {} = 0",
        day.poison
    ));
    let strata = notes::strata(&database, &server).env("STRATA_PROVIDER_TIMEOUT", "2");
    let (done, mut evening) = (AtomicBool::new(false), Evening::default());
    std::thread::scope(|scope| {
        let editor = scope.spawn(|| edit(&database, &done));
        evening.kills = kill_and_restart(&database, &strata, day);
        done.store(true, Relaxed);
        evening.edits = editor.join().unwrap();
    });
    // What was edited last.
    strata.run(&["embed"]);
    assert!(database.value::<bool>(QUIET), "{}", notes::jobs(&database));
    server.release();
    judge(&database, &server, evening)
}

const QUIET: &str = "select not exists (select from strata.job where state <> 'dead')";

/// A text is poison for ever; a call fails once.
fn behaviour(day: Day, call: usize, texts: &[String]) -> Behaviour {
    match call % day.faults {
        3 => match (call / day.faults) % 3 {
            0 => Behaviour::Status(429, "1"),
            1 => Behaviour::Status(500, ""),
            _ => Behaviour::Stall,
        },
        _ if texts.iter().any(|text| text.contains("poison")) => Behaviour::Status(400, ""),
        _ => Behaviour::Good,
    }
}

/// A note a moment, until it is over.
fn edit(database: &Database, done: &AtomicBool) -> usize {
    let mut session = database.connect();
    let sql = "update note set body = 'edited ' || $1::text where body not like 'poison%'
               and id = (select id from note order by md5(id::text || $1::text) limit 1)";
    let mut edits = 0;
    while !done.load(Relaxed) {
        edits += session.execute(sql, &[&edits.to_string()]).unwrap() as usize;
        std::thread::sleep(Duration::from_millis(50));
    }
    edits
}

/// Three workers, of which one is killed and replaced again and again, until all but the poison is embedded.
fn kill_and_restart(database: &Database, strata: &Strata, day: Day) -> usize {
    let start = || strata.start(&["worker", "--only", "embeddings", "--batch", "10", "--calls", "1"]);
    let mut workers: Vec<Running> = (0..3).map(|_| start()).collect();
    let (began, mut kills) = (Instant::now(), 0);
    let embedded = "select count(*) from note where embedding is not null or body like 'poison%'";
    while database.value::<i64>(embedded) < i64::from(day.rows) {
        assert!(began.elapsed() < PATIENCE, "{} jobs", notes::jobs(database));
        std::thread::sleep(day.kill);
        workers.remove(0).kill();
        workers.push(start());
        kills += 1;
    }
    for worker in workers {
        worker.signal("TERM");
        worker.end().ok();
    }
    kills
}

fn judge(database: &Database, server: &ProviderServer, mut evening: Evening) -> Evening {
    let rows = database.rows(
        "select concat_ws(E'\\n', n.title, n.body), n.embedding, n.body like 'poison%', coalesce(j.state = 'dead', false)
         from note n left join strata.job j on j.entity_id = n.id and j.model = $1",
        &[&MODEL],
    );
    for row in &rows {
        let (text, vector, poison, dead): (String, Option<Vector>, bool, bool) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let right = vector.as_ref().map(|vector| vector.to_vec() == vector_of(&text, DIMENSIONS));
        evening.right += usize::from(right == Some(true));
        evening.stale += usize::from(right == Some(false));
        evening.lost += usize::from(right.is_none() && !poison);
        evening.poison += usize::from(poison);
        evening.dead += usize::from(poison && dead);
        evening.wrongly_dead += usize::from(!poison && dead);
    }
    let asked = server.asked();
    let answered = |behaviour: &Behaviour| matches!(behaviour, Behaviour::Good);
    evening.calls = asked.len();
    evening.texts = asked.iter().filter(|a| answered(&a.behaviour)).map(|a| a.texts.len()).sum();
    let spoilt = |behaviour: &Behaviour| !answered(behaviour) && *behaviour != Behaviour::Status(400, "");
    evening.faults = asked.iter().filter(|a| spoilt(&a.behaviour)).count();
    evening
}
