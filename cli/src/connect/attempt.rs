//! Tries servers, addresses and kinds of line until one of them answers.

use super::encryption::Way;
use super::failure::{Cause, Failure};
use super::settings::{Keepalive, Password, Settings, Target};
use super::{passfile, tls};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use strata_core::{Error, Kind};
use tokio::net::lookup_host;
use tokio_postgres::config::{Config, SslMode, SslNegotiation};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The half of a connection that reads and writes.
pub type Line = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// An open connection.
pub struct Opened {
    /// The half that asks.
    pub client: Client,
    /// The half that has to be polled.
    pub line: Line,
    /// What opened it, to open another one that cancels.
    pub tls: MakeRustlsConnect,
    /// Which of the targets it was.
    pub target: Target,
}

/// Tries one target after the other. A server that answers, but does not let us in, ends the search.
pub async fn open(settings: &Settings) -> Result<Opened, Error> {
    let tls = tls::connector(&settings.encryption)?;
    let passwords = read_passfile(settings);
    let mut targets: Vec<&Target> = settings.targets.iter().collect();
    if settings.shuffle {
        targets.sort_by_cached_key(|_| RandomState::new().build_hasher().finish());
    }
    let mut failures = Vec::new();
    for target in targets {
        let attempt =
            Attempt { settings, target, tls: &tls, password: password(settings, target, &passwords) };
        match attempt.run().await {
            Ok((client, line)) => return Ok(Opened { client, line, tls, target: target.clone() }),
            Err(error) if error.kind() == Kind::CannotConnect => failures.push(error),
            Err(error) => return Err(error),
        }
    }
    Err(together(failures))
}

/// One error of all; they differ in the server that they name.
fn together(mut failures: Vec<Error>) -> Error {
    match failures.pop() {
        Some(last) if failures.is_empty() => last,
        Some(last) => {
            let hint = last.get_hint().unwrap_or_default().to_owned();
            failures.push(last);
            let all: Vec<&str> = failures.iter().map(Error::message).collect();
            Error::new(Kind::CannotConnect, all.join("; ")).hint(hint)
        }
        None => Error::new(Kind::CannotConnect, "there is no server to connect to"),
    }
}

/// The text of the password file, empty where it does not count.
fn read_passfile(settings: &Settings) -> String {
    let Some(file) = settings.passfile.as_ref().filter(|_| settings.password.is_none()) else {
        return String::new();
    };
    if file.named && !file.path.exists() {
        eprintln!("warning: there is no password file {}", file.path.display());
    }
    passfile::load(&file.path).unwrap_or_else(|warning| {
        eprintln!("warning: {warning}");
        String::new()
    })
}

/// The password that was given, else the one that the file has for this target.
fn password(settings: &Settings, target: &Target, passwords: &str) -> Option<Password> {
    let (database, user) = (settings.database.as_str(), settings.user.as_str());
    let wanted = passfile::Wanted { host: &target.host, port: target.port, database, user };
    settings.password.clone().or_else(|| {
        let origin = settings.passfile.as_ref()?.path.display().to_string();
        Some(Password { secret: passfile::find(passwords, &wanted)?, origin })
    })
}

/// One target and all that it takes to reach it.
struct Attempt<'a> {
    settings: &'a Settings,
    target: &'a Target,
    tls: &'a MakeRustlsConnect,
    password: Option<Password>,
}

impl Attempt<'_> {
    /// Tries every address of the target.
    async fn run(&self) -> Result<(Client, Line), Error> {
        if self.target.is_socket() {
            return self.once(None, Way::Plain).await.map_err(|cause| self.explain(&cause));
        }
        let mut last = None;
        for address in self.addresses().await.map_err(|cause| self.explain(&cause))? {
            match self.every_way(address).await.map_err(|cause| self.explain(&cause)) {
                Err(error) if error.kind() == Kind::CannotConnect => last = Some(error),
                done => return done,
            }
        }
        let none = || Cause::Unresolved(std::io::Error::other("the name is known, but has none"));
        Err(last.unwrap_or_else(|| self.explain(&none())))
    }

    fn explain(&self, cause: &Cause) -> Error {
        let password = self.password.as_ref().map(|password| password.origin.as_str());
        Failure { target: self.target, settings: self.settings, password }.explain(cause)
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, Cause> {
        match self.target.address {
            Some(address) => Ok(vec![address]),
            None => {
                let found = self.in_time(lookup_host((self.target.host.as_str(), self.target.port))).await?;
                Ok(found.map_err(Cause::Unresolved)?.map(|address| address.ip()).collect())
            }
        }
    }

    /// Tries the kinds of line that sslmode allows.
    async fn every_way(&self, address: IpAddr) -> Result<(Client, Line), Cause> {
        let (way, other) = self.settings.encryption.mode.ways();
        match (self.once(Some(address), way).await, other) {
            (Err(first), Some(other)) if first.depends_on_tls() => {
                let second = self.once(Some(address), other).await;
                second.map_err(|second| if tells_more(&second, other, &first) { second } else { first })
            }
            (done, _) => done,
        }
    }

    /// One connection attempt, from the socket to the server's readiness.
    async fn once(&self, address: Option<IpAddr>, way: Way) -> Result<(Client, Line), Cause> {
        let config = self.config(address, way);
        self.in_time(config.connect(self.tls.clone())).await?.map_err(Cause::Postgres)
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Cause> {
        match self.settings.timeout {
            None => Ok(work.await),
            Some(time) => tokio::time::timeout(time, work).await.map_err(|_| Cause::TimedOut(time)),
        }
    }

    fn config(&self, address: Option<IpAddr>, way: Way) -> Config {
        let (settings, mut config) = (self.settings, Config::new());
        config.host(&self.target.host).port(self.target.port).user(&settings.user).dbname(&settings.database);
        config.application_name(&settings.application_name).channel_binding(settings.channel_binding);
        config.target_session_attrs(settings.session).ssl_mode(ssl_mode(way));
        if settings.encryption.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(password) = &self.password {
            config.password(&password.secret);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        if let Some(time) = settings.timeout {
            config.connect_timeout(time);
        }
        keep_alive(&mut config, &settings.keepalive);
        config
    }
}

fn ssl_mode(way: Way) -> SslMode {
    match way {
        Way::Plain => SslMode::Disable,
        Way::Offered => SslMode::Prefer,
        Way::Demanded => SslMode::Require,
    }
}

fn keep_alive(config: &mut Config, keepalive: &Keepalive) {
    config.keepalives(keepalive.on);
    if let Some(time) = keepalive.idle {
        config.keepalives_idle(time);
    }
    if let Some(time) = keepalive.interval {
        config.keepalives_interval(time);
    }
    if let Some(count) = keepalive.count {
        config.keepalives_retries(count);
    }
    if let Some(time) = keepalive.user_timeout {
        config.tcp_user_timeout(time);
    }
}

/// Whether the second refusal, over this kind of line, tells more than the first: the server's own word does, and of
/// two the one over TLS.
fn tells_more(second: &Cause, way: Way, first: &Cause) -> bool {
    match (second.answer(), first.answer()) {
        (Some(_), Some(_)) => way == Way::Demanded,
        (answer, None) => answer.is_some(),
        (None, Some(_)) => false,
    }
}
