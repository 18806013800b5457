//! What a connection leads to, asked before anything is changed: a session of our own, on a server that takes writes.

use crate::args::Args;
use crate::session::Session;
use strata_core::statement::{Row, Statement, column};
use strata_core::{Error, Kind};

/// Looks from both sessions. A pooler in transaction mode hands the connection of the server that was used last to whoever
/// asks next: two of its clients see one process, or one of them sees two. Chosen: it shows in the first round unless
/// others use the pooler too.
const ROUNDS: usize = 3;

/// Refuses a pooler in transaction mode, a standby, and a session that may only read. Returns a second session, to look at
/// the first; none where the server has no room for it.
pub async fn check(session: &Session, args: &Args) -> Result<Option<Session>, Error> {
    let row = look(session).await?;
    let second = Session::open(args).await.ok();
    let mut processes = vec![process(&row)];
    for _ in 0..ROUNDS {
        if let Some(second) = &second {
            refuse_shared(session, &processes, &process(&look(second).await?))?;
        }
        processes.push(process(&look(session).await?));
        if processes.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(pooled(session));
        }
    }
    refuse_read_only(session, &row)?;
    // Between two steps a run may wait long. What the role has for its application is not for migrations.
    session.ask("opening the session", &Statement::check("set idle_session_timeout = 0")).await?;
    session.ask("opening the session", &Statement::ground()).await?;
    Ok(second)
}

async fn look(session: &Session) -> Result<Row, Error> {
    let question = Statement::check(include_str!("../../sql/query/ground.sql"));
    let rows = session.ask("asking the server what it is", &question).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

fn process(row: &Row) -> String {
    column(row, 0).to_owned()
}

/// A process belongs to one session.
fn refuse_shared(session: &Session, processes: &[String], other: &String) -> Result<(), Error> {
    match !other.is_empty() && processes.contains(other) {
        true => Err(pooled(session)),
        false => Ok(()),
    }
}

fn pooled(session: &Session) -> Error {
    let message = format!(
        "{} is a connection pooler in transaction mode: locks and settings of a session do not last there",
        session.address()
    );
    Error::new(Kind::NoSession, message)
        .hint("use the direct connection of the server, usually port 5432, or a pool in session mode")
}

fn refuse_read_only(session: &Session, row: &Row) -> Result<(), Error> {
    let address = session.address();
    let refused = |message: String| Err(Error::new(Kind::ReadOnly, message));
    match (column(row, 1), column(row, 2)) {
        ("t", _) => refused(format!("{address} is a standby, which may only be read")).map_err(|error| {
            error.hint(match column(row, 3) {
                "" => "connect to the primary".to_owned(),
                primary => format!("connect to the primary, {primary}"),
            })
        }),
        (_, "on") => {
            refused(format!("the session on {address} may only read: default_transaction_read_only is on"))
                .map_err(|error| {
                    error.hint(
                    "alter role or alter database ... reset default_transaction_read_only, or for this run \
                     PGOPTIONS='-c default_transaction_read_only=off'",
                )
                })
        }
        _ => Ok(()),
    }
}
