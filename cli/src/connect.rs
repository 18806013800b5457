//! Opens the one connection of a command: libpq's URLs, variables and files in, one connection or one error out.

mod attempt;
mod certificates;
mod client_certificate;
mod conninfo;
mod encryption;
mod failure;
mod parameters;
mod passfile;
mod settings;
mod tls;
mod url;
mod words;

use attempt::{Line, Opened};
pub use settings::escaped;
use settings::{Settings, Surroundings};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strata_core::Error;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, CancelToken, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Longest that a cancellation may take. Chosen: an operator who has pressed Ctrl-C does not wait longer.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// The table that golang-migrate's `x-migrations-table` names in the URL.
pub fn migrations_table(url: Option<&str>) -> Result<Option<String>, Error> {
    let given = settings::given(url, &|name| std::env::var(name).ok())?;
    Ok(given.and_then(|parameters| parameters.migrations_table()))
}

/// An open connection.
pub struct Connection {
    /// Sends statements.
    pub client: Client,
    /// `host:port/database as user`, for the operator; never a password.
    pub address: String,
    /// What the server says of its own accord: notices, and last why it ended a connection on which nothing ran.
    pub notices: UnboundedReceiver<DbError>,
    /// The same as libpq's environment variables, for a program of PostgreSQL's.
    pub environment: Vec<(&'static str, String)>,
    /// Somebody has notified a channel that this session listens to.
    pub woken: Arc<Notify>,
    token: CancelToken,
    tls: MakeRustlsConnect,
}

impl Connection {
    /// Asks the server, over a second connection of the same kind, to cancel the statement that is running. Says
    /// nothing when there is none, or when the server cannot be reached: the statement's own result tells.
    pub async fn cancel(&self) {
        let asked = self.token.cancel_query(self.tls.clone());
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, asked).await;
    }
}

/// Connects to `url`, else to DATABASE_URL, else to where libpq's PG* variables and defaults point.
///
/// Errors: `BadArgument` for what cannot be used, `CannotConnect`, `NotAuthorized`, `NoDatabase`, `Forbidden`. Each is
/// one line that names the value and has a hint; none holds a password.
/// `more` are command-line options of the session behind those that the operator gave, as libpq's `options` has them;
/// `database` counts before the one that is named.
pub async fn connect(
    url: Option<&str>,
    more: Option<&str>,
    database: Option<&str>,
) -> Result<Connection, Error> {
    let var = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let around = Surroundings { var: &var, os_user: &|| whoami::username().ok(), exists: &Path::exists };
    let mut settings = Settings::read(url, &around).map_err(failure::one_line)?;
    if let Some(more) = more {
        settings.options = Some([settings.options.as_deref().unwrap_or_default(), more].join(" "));
    }
    if let Some(database) = database {
        settings.database = database.to_owned();
    }
    let Opened { client, line, tls, target } = attempt::open(&settings).await?;
    let (sender, notices) = unbounded_channel();
    let woken = Arc::new(Notify::new());
    tokio::spawn(listen(line, sender, Arc::clone(&woken)));
    let address =
        format!("{target}/{} as {}", settings.database, settings.user).replace(char::is_control, " ");
    let environment = settings.environment(&target);
    Ok(Connection { token: client.cancel_token(), client, address, notices, environment, woken, tls })
}

/// Reads and writes for the client until the connection ends. Nobody has to receive the notices.
async fn listen(mut line: Line, notices: UnboundedSender<DbError>, woken: Arc<Notify>) {
    loop {
        let notice = match std::future::poll_fn(|context| line.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => notice,
            Some(Ok(_)) => {
                woken.notify_one();
                continue;
            }
            Some(Err(error)) => {
                if let Some(last) = error.as_db_error() {
                    let _ = notices.send(last.clone());
                }
                return;
            }
            None => return,
        };
        let _ = notices.send(notice);
    }
}

#[cfg(test)]
#[path = "connect/connect_tests.rs"]
mod tests;
