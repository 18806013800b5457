//! What the function adds to asking PostgREST, behind the same gateway, the same question, in turn.

use super::http::{Answer, Client};
use super::project::Project;
use crate::figure::{Figure, Limit};
use crate::say;
use serde_json::json;
use std::time::Instant;

/// Longest that the middle one of many may take more. Unit: milliseconds.
const ADDED: f64 = 10.0;

/// Pairs of questions a round.
const PAIRS: usize = 200;

/// One question in two ways; each sends it once.
struct Pair<'p> {
    name: &'static str,
    direct: Box<dyn FnMut(&mut Client) + 'p>,
    through: Box<dyn FnMut(&mut Client) + 'p>,
}

/// Of a service that looks at a run, and of a user who searches: the one shows a key, the other a token that is verified.
pub fn measure(project: &Project, rounds: usize) -> Vec<Figure> {
    let run = project.ended_run();
    project.notes();
    let (service, user) = (project.service(), project.user());
    let [service_direct, user_direct] = [&service, &user].map(|lines| {
        let profile = ("content-profile", "strata".to_owned());
        lines.iter().cloned().chain([profile]).collect::<Vec<_>>()
    });
    let path = format!("/functions/v1/strata/runs/{run}");
    let asked = json!({"run": run}).to_string();
    let embedding = json!({"query_embedding": [1, 0, 0], "user_id_filter": null}).to_string();
    let search = json!({"embedding": [1, 0, 0]}).to_string();
    let pairs = [
        Pair {
            name: "a run",
            direct: Box::new(|client| {
                ok(&client.post("/rest/v1/rpc/run_progress", &service_direct, &asked));
            }),
            through: Box::new(|client| ok(&client.get(&path, &service))),
        },
        Pair {
            name: "a search",
            direct: Box::new(|client| {
                ok(&client.post("/rest/v1/rpc/rag_search", &user_direct, &embedding));
            }),
            through: Box::new(|client| {
                ok(&client.post("/functions/v1/strata/search", &user, &search));
            }),
        },
    ];
    pairs.into_iter().flat_map(|pair| of(project, pair, rounds)).collect()
}

fn ok(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn of(project: &Project, mut pair: Pair<'_>, rounds: usize) -> Vec<Figure> {
    let mut client = Client::to(project.address());
    let (mut directs, mut added) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            direct.push(timed(&mut client, &mut *pair.direct));
            through.push(timed(&mut client, &mut *pair.through));
        }
        // The first one warms everything up.
        if round > 0 {
            let (direct, through) = (middle(direct), middle(through));
            say(&format!("{}: {direct:.2} ms direct, {through:.2} ms through the function", pair.name));
            directs.push(direct);
            added.push(through - direct);
        }
    }
    vec![
        Figure::new(format!("added to {}, p50", pair.name), "ms", added, Limit::AtMost(ADDED)),
        Figure::new(format!("{} by PostgREST, p50", pair.name), "ms", directs, Limit::None),
    ]
}

/// Unit: milliseconds.
fn timed(client: &mut Client, ask: &mut dyn FnMut(&mut Client)) -> f64 {
    let began = Instant::now();
    ask(client);
    began.elapsed().as_secs_f64() * 1000.0
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
