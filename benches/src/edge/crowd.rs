//! Two hundred who come at once: whether each of them gets their own answer, and when the last one has it.

use super::http::Client;
use super::project::Project;
use crate::figure::{Figure, Limit};
use std::sync::Barrier;
use std::time::Instant;

/// As in the words of the limit.
const CALLERS: usize = 200;

/// So many rounds of them.
pub fn measure(project: &Project, rounds: usize) -> Vec<Figure> {
    let (mixed, last): (Vec<f64>, Vec<f64>) = (0..rounds).map(|_| round(project)).unzip();
    vec![
        Figure::new("wrong answers among 200 at once", "", mixed, Limit::AtMost(0.0)),
        Figure::new("the last of them was answered after", "ms", last, Limit::None),
    ]
}

/// How many got somebody else's answer, and how long it took.
fn round(project: &Project) -> (f64, f64) {
    let (gate, address, service) = (Barrier::new(CALLERS + 1), project.address(), project.service());
    std::thread::scope(|scope| {
        let caller = |number: usize| {
            let mut client = Client::to(address);
            gate.wait();
            let answer = client.get(&format!("/functions/v1/strata/packs/none-{number}"), &service);
            !answer.body.contains(&format!("\"pack \\\"none-{number}\\\" is not known here\""))
        };
        let callers: Vec<_> = (0..CALLERS).map(|number| scope.spawn(move || caller(number))).collect();
        gate.wait();
        let began = Instant::now();
        let wrong = callers
            .into_iter()
            .map(|caller| caller.join().expect("an answer"))
            .filter(|wrong| *wrong)
            .count();
        (wrong as f64, began.elapsed().as_secs_f64() * 1000.0)
    })
}
