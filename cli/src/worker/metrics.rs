//! `/metrics` for Prometheus and `/health` for whoever restarts processes: two pages, no request that changes anything.

use super::embeddings::Pulse;
use std::fmt::Write;
use std::time::Duration;
use strata_core::{Error, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Silence of the database that counts as sick. Longer than a call of a provider may take.
const SICK: Duration = Duration::from_secs(120);

/// Longest that a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest request that is read. Unit: bytes.
const REQUEST: usize = 8192;

/// Listens; the address as it was given names the port.
pub async fn listen(address: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|cause| {
        Error::new(Kind::BadArgument, format!("cannot listen on {address:?}: {cause}"))
            .hint("give an address of this machine and a free port, such as 127.0.0.1:9187")
    })
}

/// Answers one client after the other, for ever.
pub async fn serve<T>(listener: TcpListener, pulse: &Pulse) -> T {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            // A client that hangs up, or says nothing, is none.
            let _ = tokio::time::timeout(PATIENCE, answer(client, pulse)).await;
        }
    }
}

async fn answer(mut client: TcpStream, pulse: &Pulse) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let (status, body) = page(&line, pulse);
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(body.as_bytes()).await?;
    client.shutdown().await
}

fn page(line: &str, pulse: &Pulse) -> (&'static str, String) {
    let mut words = line.split(' ');
    match (words.next(), words.next().and_then(|path| path.split('?').next())) {
        (Some("GET"), Some("/metrics")) => ("200 OK", metrics(pulse)),
        (Some("GET"), Some("/health")) => match pulse.answered.get().map(|at| at.elapsed()) {
            Some(silence) if silence < SICK => ("200 OK", "ok\n".to_owned()),
            Some(silence) => {
                ("503 Service Unavailable", format!("the database is silent for {} s\n", silence.as_secs()))
            }
            None => ("503 Service Unavailable", "the database has not answered yet\n".to_owned()),
        },
        (Some("GET"), _) => ("404 Not Found", "there are /metrics and /health\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    }
}

fn metrics(pulse: &Pulse) -> String {
    let mut text = pulse.tally.metrics();
    let left = pulse.left.borrow();
    let held = left.held + left.lent;
    let _ = writeln!(text, "# HELP strata_jobs Jobs of the queue by state.\n# TYPE strata_jobs gauge");
    for (state, count) in [("ripe", left.ripe), ("later", left.later), ("leased", held), ("dead", left.dead)]
    {
        let _ = writeln!(text, "strata_jobs{{state=\"{state}\"}} {count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_worker_is_well_when_its_database_has_answered() {
        let pulse = Pulse::default();
        assert_eq!(page("GET /health HTTP/1.1", &pulse).0, "503 Service Unavailable");
        pulse.answered.set(Some(Instant::now()));
        assert_eq!(page("GET /health HTTP/1.1", &pulse), ("200 OK", "ok\n".to_owned()));
    }

    #[test]
    fn there_are_two_pages() {
        let pulse = Pulse::default();
        pulse.tally.count("m", |counts| counts.stored += 1);
        pulse.left.borrow_mut().ripe = 4;
        let (status, body) = page("GET /metrics?x HTTP/1.1", &pulse);
        assert_eq!(status, "200 OK");
        assert!(body.contains("strata_embedded_total{model=\"m\"} 1\n"), "{body}");
        assert!(body.contains("strata_jobs{state=\"ripe\"} 4\n"), "{body}");
        assert_eq!(page("GET / HTTP/1.1", &pulse).0, "404 Not Found");
        assert_eq!(page("POST /metrics HTTP/1.1", &pulse).0, "405 Method Not Allowed");
        assert_eq!(page("", &pulse).0, "405 Method Not Allowed");
    }
}
