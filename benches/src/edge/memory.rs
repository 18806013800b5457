//! What ten thousand requests leave behind in the process of the function.

use super::http::Client;
use super::project::Project;
use crate::figure::{Figure, Limit};

/// As in the words of the limit.
const REQUESTS: usize = 10_000;

/// Requests before the first look: by then every path was taken and compiled.
const WARM: usize = 3_000;

/// By how much memory may differ and still be flat: the collector of garbage decides when it works.
const FLAT: f64 = 1.2;

/// One round: what one leaves the next would find.
pub fn measure(project: &Project, _: usize) -> Vec<Figure> {
    let mut client = Client::to(project.address());
    ask(project, &mut client, WARM);
    let before = resident(project);
    ask(project, &mut client, REQUESTS);
    let after = resident(project);
    vec![
        Figure::new(
            "memory after 10,000 requests, over before",
            "ratio",
            vec![after / before],
            Limit::AtMost(FLAT),
        ),
        Figure::new("memory after them", "MB", vec![after], Limit::None),
    ]
}

/// Answers, refusals and questions to the database, in turn.
fn ask(project: &Project, client: &mut Client, requests: usize) {
    let (service, wrong) = (project.service(), [("apikey", "sb_secret_wrong".to_owned())]);
    let none = "/functions/v1/strata/runs/00000000-0000-4000-8000-000000000000";
    for request in 0..requests {
        let status = match request % 10 {
            0 => client.get(none, &service).status,
            even if even % 2 == 0 => client.post("/functions/v1/strata/migrate", &wrong, "{}").status,
            _ => client.get("/functions/v1/strata/health", &[]).status,
        };
        assert!([200, 401, 404].contains(&status), "{status}");
    }
}

/// Unit: MB.
fn resident(project: &Project) -> f64 {
    let path = format!("/proc/{}/status", project.number(&["pids", "function"]));
    let status = std::fs::read_to_string(path).expect("the function runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}
