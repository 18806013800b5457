//! The whole Aurum pack while its application writes, the contract included: how long a write waits, against the same
//! application undisturbed for as long.

use crate::Wish;
use crate::figure::{Figure, Limit};
use crate::say;
use crate::writers::{Application, Stalls};
use std::time::{Duration, Instant};
use strata_tests::aurum::{self, Vectors};
use strata_tests::template::{self, Template};
use strata_tests::{Database, Strata, vectors};

/// What the application does, as it did before anybody migrated it: any row, by its key.
const WRITES: [&str; 5] = [
    "update tasks set name = name || '.'
        where id = (select id from tasks where id >= gen_random_uuid() order by id limit 1)",
    "update tasks set status = case status when 'todo' then 'completed' else 'todo' end
        where id = (select id from tasks where id >= gen_random_uuid() order by id limit 1)",
    "update journal_entries set content = content || '.'
        where id = (select id from journal_entries where id >= gen_random_uuid() order by id limit 1)",
    "insert into tasks (user_id, project_id, name, description)
        select user_id, id, 'New', 'Written meanwhile' from projects where id >= gen_random_uuid() order by id limit 1",
    "insert into journal_entries (user_id, content)
        select id, 'Written meanwhile' from auth.users where id >= gen_random_uuid() order by id limit 1",
];

const APPLICATION: Application<'static> =
    Application { statements: &WRITES, clients: 4, every: Duration::from_millis(20) };

/// Shortest that the application is watched without a migration: a few seconds see no checkpoint and no slow disk.
const CALM: Duration = Duration::from_secs(10);

/// The longest write, undisturbed and while the pack goes up; and how many failed.
pub fn measure(wish: &Wish) -> Vec<Figure> {
    let measured: Vec<[f64; 3]> = (0..wish.rounds).map(|_| round(wish.tasks)).collect();
    let take = |part: fn(&[f64; 3]) -> f64| measured.iter().map(part).collect::<Vec<_>>();
    vec![
        Figure::new("longest write, pack / calm", "ratio", take(|m| m[1] / m[0]), Limit::AtMost(3.0)),
        Figure::new("longest write during the pack", "ms", take(|m| m[1]), Limit::AtMost(100.0)),
        Figure::new("longest write undisturbed", "ms", take(|m| m[0]), Limit::None),
        Figure::new("writes that failed", "writes", take(|m| m[2]), Limit::AtMost(0.0)),
    ]
}

/// Longest write undisturbed, longest during the pack, writes that failed.
fn round(tasks: u32) -> [f64; 3] {
    let began = Instant::now();
    let pack = migrate(&calm_copy(tasks));
    let time = began.elapsed().max(CALM);
    let database = calm_copy(tasks);
    let ((), calm) = APPLICATION.during(&database, || std::thread::sleep(time));
    tell("undisturbed", &calm, &database);
    pack.errors.iter().chain(&calm.errors).take(3).for_each(|error| say(error));
    [calm.max_ms(), pack.max_ms(), (pack.errors.len() + calm.errors.len()) as f64]
}

/// The application with so many tasks, at rest.
fn calm_copy(tasks: u32) -> Database {
    let database = Database::copy_of(&application(tasks));
    database.run("vacuum analyze");
    database.run("checkpoint");
    database
}

fn application(tasks: u32) -> Template {
    template::shared(&format!("bench_aurum_{tasks}"), |database| {
        aurum::load(database, &["supabase", "baseline", "data"]);
        database.run(&format!("set aurum.tasks = '{tasks}'"));
        if tasks > 0 {
            aurum::load(database, &["generate"]);
        }
        database.run("create extension strata cascade");
    })
}

/// Everything that writes to the application's tables, watched; the embeddings between are not.
fn migrate(database: &Database) -> Stalls {
    let strata = aurum::strata(database, Vectors::Local);
    let (_, first) = APPLICATION.during(database, || strata.run(&["up", "--to-phase", "3"]).ok());
    tell("phases 1 to 3", &first, database);
    vectors::complete_all(database, Vectors::Local.dimensions());
    let second = behind_gate(database, &strata, "phase 4", &["up", "--to-phase", "7"]);
    tell("phases 4 to 7", &second, database);
    // Phase 8 asks for an embedding of every row, which nobody makes while the application goes on writing.
    vectors::complete_all(database, Vectors::Local.dimensions());
    strata.run(&["up", "--to-phase", "8"]).ok();
    aurum::sign_contract(&strata);
    let third = behind_gate(database, &strata, "phase 9", &["up"]);
    tell("the contract", &third, database);
    first.and(second).and(third)
}

/// The application begins to write as soon as the gate was met.
fn behind_gate(database: &Database, strata: &Strata, phase: &str, words: &[&str]) -> Stalls {
    let run = strata.start(words);
    run.until(phase);
    APPLICATION.during(database, || run.end().ok()).1
}

fn tell(what: &str, stalls: &Stalls, database: &Database) {
    say(&format!(
        "{what}: longest write {:.1} ms, 999 of 1000 below {:.1} ms, {} writes",
        stalls.max_ms(),
        stalls.p999_ms(),
        stalls.count()
    ));
    for slow in stalls.slowest().iter().take(3) {
        let step = database.column::<String>(&format!(
            "select s.version || ' step ' || s.number || ' ' || s.summary from strata.run_step s
             where tstzrange(s.started_at, s.finished_at) && tstzrange(to_timestamp({}), to_timestamp({}))",
            slow.due, slow.done
        ));
        let verb: String = slow.sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        say(&format!("  {:.1} ms: {verb}; meanwhile {}", slow.ms(), step.join(" | ")));
    }
}
