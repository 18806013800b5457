//! A shadow: a database with the schema of this one and none of its rows, for what cannot be tried in a transaction. Dropped
//! afterwards; one that outlived its dry run is found by its name and dropped by the next.

use crate::args::Args;
use crate::session::{Session, db_error};
use std::process::{Command, Output};
use strata_core::error::DbError;
use strata_core::statement::{Statement, Value, column};
use strata_core::{Error, script};
use tokio_postgres::types::Type;

/// A shadow that must be dropped.
pub struct Shadow {
    name: String,
}

impl Shadow {
    /// Makes one. Why it cannot be made is an error.
    pub async fn make(work: &Session, args: &Args, table: Option<&str>) -> Result<(Shadow, Session), Error> {
        sweep(work).await;
        let name = Statement::ours(include_str!("../../../sql/query/shadow_name.sql"), Vec::new());
        let rows = work.ask("naming a shadow", &name).await?;
        let row = rows.first().cloned().unwrap_or_default();
        let shadow = Shadow { name: column(&row, 0).to_owned() };
        run(work, column(&row, 1)).await.map_err(|cause| Error::failed("create database", cause))?;
        match shadow.fill(work, args, table).await {
            Ok(session) => Ok((shadow, session)),
            Err(error) => {
                shadow.drop(work).await;
                Err(error)
            }
        }
    }

    async fn fill(&self, work: &Session, args: &Args, table: Option<&str>) -> Result<Session, Error> {
        let schema = dump(work).await?;
        let session = Session::open_database(args, &self.name).await?;
        for sql in script::split("pg_dump", &schema)? {
            run(&session, &sql.text)
                .await
                .map_err(|cause| Error::failed(&format!("restoring the schema: {}", sql.summary()), cause))?;
        }
        session.run(&Statement::reset()).await.map_err(|cause| Error::failed("the shadow", cause))?;
        copy_state(work, &session, table).await?;
        Ok(session)
    }

    /// Drops it, whoever is in it.
    pub async fn drop(self, work: &Session) {
        let _ = run(work, &format!("drop database if exists {} with (force)", self.name)).await;
    }
}

/// What was left by dry runs that were killed. What cannot be dropped now is left for the next.
async fn sweep(work: &Session) {
    let question = Statement::ours(include_str!("../../../sql/query/shadow_leftovers.sql"), Vec::new());
    for row in work.run(&question).await.unwrap_or_default() {
        let _ = run(work, column(&row, 0)).await;
    }
}

async fn run(session: &Session, sql: &str) -> Result<(), DbError> {
    session.run(&Statement::single(sql)).await.map(drop)
}

/// The schema as pg_dump writes it, without what only psql understands.
async fn dump(work: &Session) -> Result<String, Error> {
    let mut command = Command::new("pg_dump");
    command
        .args([
            "--schema-only",
            "--no-publications",
            "--no-subscriptions",
            "--no-tablespaces",
            "--no-comments",
        ])
        .args(["--no-security-labels", "--lock-wait-timeout=2000", "--no-password"])
        .envs(work.environment().iter().map(|(name, value)| (*name, value)));
    let told = tokio::task::spawn_blocking(move || command.output()).await;
    let failed = |why: String| {
        Error::new(strata_core::Kind::Untried, format!("pg_dump: {why}"))
            .hint("install pg_dump of the server's version, and see that it is found")
    };
    match told {
        Ok(Ok(Output { status, stdout, .. })) if status.success() => Ok(readable(&stdout)),
        Ok(Ok(Output { stderr, .. })) => {
            Err(failed(String::from_utf8_lossy(&stderr).lines().next().unwrap_or_default().to_owned()))
        }
        Ok(Err(cause)) => Err(failed(cause.to_string())),
        Err(cause) => Err(failed(cause.to_string())),
    }
}

fn readable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect()
}

/// The rows of strata's tables, without the triggers that would write them elsewhere too.
async fn copy_state(work: &Session, shadow: &Session, table: Option<&str>) -> Result<(), Error> {
    let failed = |cause| Error::failed("copying strata's state", cause);
    let _ = run(shadow, "set session_replication_role = replica").await;
    let table = table.map_or(Value::Null, Value::from);
    let question = Statement::ours(include_str!("../../../sql/query/shadow_tables.sql"), vec![table]);
    for row in work.ask("reading strata's state", &question).await? {
        let name = column(&row, 0);
        let all = format!("select coalesce(jsonb_agg(to_jsonb(t)), '[]') from {name} t");
        let rows = work.client().query_typed_one(&all, &[]).await.map_err(|e| failed(db_error(e)))?;
        let rows: serde_json::Value = rows.try_get(0).map_err(|e| failed(db_error(e)))?;
        let insert = format!(
            "insert into {name} overriding system value select * from jsonb_populate_recordset(null::{name}, $1)"
        );
        shadow
            .client()
            .execute_typed(&insert, &[(&rows, Type::JSONB)])
            .await
            .map_err(|e| failed(db_error(e)))?;
    }
    // Not prepared: every name of a statement is the files'.
    run(shadow, include_str!("../../../sql/query/shadow_sequences.sql")).await.map_err(failed)?;
    run(shadow, "reset session_replication_role").await.map_err(failed)
}
