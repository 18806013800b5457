//! A database of a test's own: made when the test begins, dropped when it ends, whatever is still connected.

use crate::environment::{Cluster, FULL};
use crate::template::{self, Template};
use postgres::types::{FromSqlOwned, ToSql};
use postgres::{Client, NoTls, Row};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Longest that a test waits for something to happen in a database.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database and one session in it.
pub struct Database {
    cluster: &'static Cluster,
    name: String,
    session: Mutex<Option<Client>>,
}

impl Database {
    /// An empty one in the cluster with pgvector and strata.
    pub fn empty() -> Self {
        Self::make(&FULL, None)
    }

    /// An empty one in another cluster.
    pub fn empty_in(cluster: &'static Cluster) -> Self {
        Self::make(cluster, None)
    }

    /// A copy of a template.
    pub fn copy_of(template: &Template) -> Self {
        Self::make(&FULL, Some(&template.name))
    }

    /// One with the extension in it and nothing else.
    pub fn installed() -> Self {
        Self::copy_of(&template::shared("installed", |database| {
            database.run("create extension strata cascade");
        }))
    }

    /// A copy of a database of a cluster that will crash. File by file: of a copy that goes through the log, sequences go
    /// back to where the template had them when the server crashes before its next checkpoint.
    pub fn copy_in(cluster: &'static Cluster, template: &str) -> Self {
        Self::make(cluster, Some(&format!("{template} strategy file_copy")))
    }

    fn make(cluster: &'static Cluster, template: Option<&str>) -> Self {
        let name = unique("strata_test");
        let from = template.map(|template| format!(" template {template}")).unwrap_or_default();
        maintenance(cluster).batch_execute(&format!("create database {name}{from}")).unwrap();
        let session = Mutex::new(Some(connect(&cluster.url(&name))));
        Database { cluster, name, session }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, password and all.
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Its superuser's password.
    pub fn password(&self) -> &str {
        &self.cluster.password
    }

    /// A further session.
    pub fn connect(&self) -> Client {
        connect(&self.url())
    }

    /// A new session for the one that a crash of the server has ended.
    pub fn reconnect(&self) {
        *self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(self.connect());
    }

    /// The session of the database itself, for a test that needs more than one statement in it.
    pub fn session(&self) -> Session<'_> {
        Session(self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Runs statements that must succeed.
    pub fn run(&self, sql: &str) {
        self.session().batch_execute(sql).unwrap_or_else(|e| panic!("{}\nin: {sql}", told(&e)));
    }

    /// Rows of a query.
    pub fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.session().query(sql, params).unwrap_or_else(|e| panic!("{}\nin: {sql}", told(&e)))
    }

    /// The first column of a query.
    pub fn column<T: FromSqlOwned>(&self, sql: &str) -> Vec<T> {
        self.rows(sql, &[]).iter().map(|row| row.get(0)).collect()
    }

    /// The only value of a query.
    pub fn value<T: FromSqlOwned>(&self, sql: &str) -> T {
        let rows = self.rows(sql, &[]);
        assert_eq!(rows.len(), 1, "one row expected of: {sql}");
        rows[0].get(0)
    }

    /// SQLSTATE and message of a statement that must fail.
    pub fn refusal(&self, sql: &str) -> (String, String) {
        refusal(self.session().batch_execute(sql).map(drop), sql)
    }

    /// Waits until a query answers true.
    pub fn until(&self, sql: &str) {
        let began = Instant::now();
        while !self.value::<bool>(sql) {
            assert!(began.elapsed() < PATIENCE, "waited in vain for: {sql}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the sessions of the command line as a crash of its machine would in the end.
    pub fn terminate_others(&self) {
        self.run(&format!(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()",
            self.name
        ));
    }

    /// Ends the session, so that the database can become a template.
    pub(crate) fn release(self) -> String {
        *self.session.lock().unwrap() = None;
        let name = self.name.clone();
        std::mem::forget(self);
        name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = Client::connect(&self.cluster.url("postgres"), NoTls).and_then(|mut client| {
            client.batch_execute(&format!("drop database if exists {} with (force)", self.name))
        });
        if let Err(cause) = dropped {
            eprintln!("database {} stays: {cause}", self.name);
        }
    }
}

/// The session of a [`Database`] while a test uses it.
pub struct Session<'d>(MutexGuard<'d, Option<Client>>);

impl std::ops::Deref for Session<'_> {
    type Target = Client;
    fn deref(&self) -> &Client {
        self.0.as_ref().expect("a database has its session until it becomes a template")
    }
}

impl std::ops::DerefMut for Session<'_> {
    fn deref_mut(&mut self) -> &mut Client {
        self.0.as_mut().expect("a database has its session until it becomes a template")
    }
}

/// SQLSTATE and message of what must have failed.
pub fn refusal<T>(outcome: Result<T, postgres::Error>, what: &str) -> (String, String) {
    match outcome {
        Ok(_) => panic!("this should have been refused: {what}"),
        Err(error) => {
            let error = error.as_db_error().unwrap_or_else(|| panic!("no answer of the server: {error}"));
            (error.code().code().to_owned(), error.message().to_owned())
        }
    }
}

/// A session in the maintenance database of a cluster.
pub(crate) fn maintenance(cluster: &Cluster) -> Client {
    connect(&cluster.url("postgres"))
}

/// A name that no other test, process or run has.
pub fn unique(what: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{what}_{}_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed), &id[..8])
}

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap_or_else(|e| panic!("the cluster of the tests does not answer: {e}"))
}

fn told(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} {}\n{}", db.code().code(), db.message(), db.detail().unwrap_or_default()),
        None => error.to_string(),
    }
}
