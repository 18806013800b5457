//! One session: runs the statements that core answers with, and nothing else.

use crate::args::Args;
use crate::connect::{self, Connection};
use std::collections::HashMap;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;
use strata_core::error::{DbError, grant};
use strata_core::preflight::{self, Server};
use strata_core::statement::{Nature, Reply, Row, Statement, Value};
use strata_core::{Error, Kind};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::error::{DbError as Notice, ErrorPosition, Severity, SqlState};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

/// A connection and the statements of ours that it has prepared.
pub struct Session {
    connection: Connection,
    notices: std::sync::Mutex<UnboundedReceiver<Notice>>,
    prepared: Mutex<HashMap<String, tokio_postgres::Statement>>,
    /// Every name of a prepared statement is left to the files.
    leaves_names: AtomicBool,
}

impl Session {
    /// Connects where the arguments say.
    pub async fn open(args: &Args) -> Result<Session, Error> {
        Self::open_with(args, None, None).await
    }

    /// The same with a search path that `reset all` comes back to.
    pub async fn open_on_path(args: &Args, search_path: &str) -> Result<Session, Error> {
        Self::open_with(args, Some(&format!("-c search_path={}", connect::escaped(search_path))), None).await
    }

    /// Connects to another database of the same server.
    pub async fn open_database(args: &Args, database: &str) -> Result<Session, Error> {
        Self::open_with(args, None, Some(database)).await
    }

    async fn open_with(args: &Args, options: Option<&str>, database: Option<&str>) -> Result<Session, Error> {
        let mut connection = connect::connect(args.database.as_deref(), options, database).await?;
        let notices = std::mem::replace(&mut connection.notices, unbounded_channel().1).into();
        Ok(Session { connection, notices, prepared: Mutex::default(), leaves_names: AtomicBool::new(false) })
    }

    /// Connects to a database in which strata must be installed.
    pub async fn open_installed(args: &Args) -> Result<Session, Error> {
        let session = Session::open(args).await?;
        match session.server().await?.strata_installed {
            Some(_) => Ok(session),
            None => {
                let message = format!("strata is not installed in {}", session.address());
                Err(Error::new(Kind::NotInstalled, message)
                    .hint("run \"strata up\", or \"create extension strata cascade\""))
            }
        }
    }

    /// What the server says of itself.
    pub async fn server(&self) -> Result<Server, Error> {
        let rows = self.ask("asking the server for its version", &preflight::question()).await?;
        Ok(rows.first().map(Server::read).unwrap_or_default())
    }

    /// `host:port/database as user`.
    pub fn address(&self) -> &str {
        &self.connection.address
    }

    /// How a program of PostgreSQL's connects to the same database: libpq's variables, with a password among them.
    pub fn environment(&self) -> &[(&'static str, String)] {
        &self.connection.environment
    }

    /// For the calls that bind what a [`Value`] cannot hold.
    pub fn client(&self) -> &tokio_postgres::Client {
        &self.connection.client
    }

    /// Cancels the statement that is running.
    pub async fn cancel(&self) {
        self.connection.cancel().await;
    }

    /// What the server has said of its own accord since it was last asked, a line each.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| notices.try_recv().ok()).filter_map(|notice| said(&notice)).collect()
    }

    /// Waits for the next of them.
    pub async fn heard(&self) -> String {
        let next =
            |cx: &mut Context<'_>| self.notices.lock().unwrap_or_else(PoisonError::into_inner).poll_recv(cx);
        loop {
            match poll_fn(next).await.map(|notice| said(&notice)) {
                Some(Some(line)) => return line,
                Some(None) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Runs one statement; every column of its rows as text.
    pub async fn run(&self, statement: &Statement) -> Reply {
        match statement.nature {
            Nature::File | Nature::Check | Nature::Reset => self.verbatim(&statement.sql).await,
            Nature::Single => self.single(&statement.sql).await,
            Nature::State | Nature::Session => self.ours(statement).await,
        }
        .map_err(db_error)
    }

    /// Runs one statement of ours that fails only when something is wrong with the session.
    pub async fn ask(&self, doing: &str, statement: &Statement) -> Result<Vec<Row>, Error> {
        self.run(statement).await.map_err(|cause| failed(doing, cause))
    }

    async fn verbatim(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let messages = self.client().simple_query(sql).await?;
        let texts = |row: SimpleQueryRow| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect();
        Ok(messages
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(texts(row)),
                _ => None,
            })
            .collect())
    }

    /// By the extended protocol, which takes no more than one statement.
    async fn single(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let touched = self.client().execute_typed(sql, &[]).await?;
        Ok(vec![vec![Some(touched.to_string())]])
    }

    /// Before the first statement: files that are run here may prepare under any name. Our own are then parsed each time.
    pub fn leave_names(&self) {
        self.leaves_names.store(true, Ordering::Relaxed);
    }

    async fn ours(&self, statement: &Statement) -> Result<Vec<Row>, tokio_postgres::Error> {
        let params: Vec<Bound<'_>> = statement.params.iter().map(Bound).collect();
        let rows = if self.leaves_names.load(Ordering::Relaxed) {
            let params: Vec<(&(dyn ToSql + Sync), Type)> =
                params.iter().map(|p| (p as _, p.sent_as())).collect();
            self.client().query_typed(&statement.sql, &params).await?
        } else {
            let prepared = self.prepare(&statement.sql).await?;
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as _).collect();
            self.client().query(&prepared, &params).await?
        };
        rows.iter().map(|row| (0..row.len()).map(|i| row.try_get(i)).collect()).collect()
    }

    /// Ends when a channel that this session listens to has been notified since it ended last.
    pub async fn woken(&self) {
        self.connection.woken.notified().await;
    }

    /// The statement as the server knows it, parsed once a session.
    pub async fn prepare(&self, sql: &str) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        let mut prepared = self.prepared.lock().await;
        if let Some(known) = prepared.get(sql) {
            return Ok(known.clone());
        }
        let new = self.client().prepare(sql).await?;
        prepared.insert(sql.to_owned(), new.clone());
        Ok(new)
    }
}

/// A notice as a line. That an `if exists` found nothing is left out: it is what a script that can be repeated says all the
/// time. So is a rollback of ours behind a message that could not be read, whose `begin` was never reached.
fn said(notice: &Notice) -> Option<String> {
    let line = format!("{}: {}", notice.severity(), notice.message());
    let usual =
        notice.message().ends_with(", skipping") || *notice.code() == SqlState::NO_ACTIVE_SQL_TRANSACTION;
    (!usual).then_some(line)
}

/// What Postgres said, or that it can no longer be heard.
pub fn db_error(error: tokio_postgres::Error) -> DbError {
    match error.as_db_error() {
        Some(db) => DbError {
            sqlstate: db.code().code().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().map(Into::into),
            hint: db.hint().map(Into::into),
            context: db.where_().map(Into::into),
            position: match db.position() {
                Some(ErrorPosition::Original(at)) => NonZeroU32::new(*at),
                _ => None,
            },
            fatal: matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        },
        None => {
            let closed = error.is_closed();
            let sqlstate = if closed { "08006" } else { "08P01" }.to_owned();
            let message = if closed { "the server closed it".to_owned() } else { error.to_string() };
            DbError { sqlstate, message, fatal: true, ..Default::default() }
        }
    }
}

/// A statement of ours that failed. What the server's functions raise keeps its meaning as an exit code.
pub fn failed(doing: &str, cause: DbError) -> Error {
    let kind = match cause.sqlstate.as_str() {
        "42704" => Kind::NotFound,
        "22023" | "22004" | "22P02" | "55000" => Kind::BadArgument,
        "22000" if cause.message.contains("dimensions") => Kind::WrongDimension,
        "22000" => Kind::BadData,
        "42501" => Kind::Forbidden,
        "55P03" => Kind::Locked,
        code if code.starts_with("ST") => {
            Kind::ALL.into_iter().find(|kind| kind.sqlstate() == code).unwrap_or(Kind::Failed)
        }
        code if code.starts_with("08") || code.starts_with("57P") => Kind::CannotConnect,
        _ => return Error::failed(doing, cause),
    };
    let error = Error::new(kind, cause.message).with_sqlstate(&cause.sqlstate);
    match (cause.hint, kind) {
        (Some(hint), _) => error.hint(hint),
        (None, Kind::Forbidden) => {
            let hint = grant(error.message());
            error.hint(hint)
        }
        (None, _) => error,
    }
}

/// A parameter on its way into the binary protocol. The text of the statement casts each to the type that it wants.
#[derive(Debug)]
struct Bound<'v>(&'v Value);

impl Bound<'_> {
    fn sent_as(&self) -> Type {
        match self.0 {
            Value::Null | Value::Text(_) => Type::TEXT,
            Value::Int(_) => Type::INT8,
            Value::Bool(_) => Type::BOOL,
            Value::Json(_) => Type::JSONB,
        }
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Text(text) => text.to_sql(ty, out),
            Value::Int(number) => number.to_sql(ty, out),
            Value::Bool(truth) => truth.to_sql(ty, out),
            Value::Json(json) => json.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
