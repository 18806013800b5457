//! `verify`: the verification of every applied version, again, in read-only transactions.

use crate::args::Args;
use crate::folder;
use crate::output::{Output, table};
use crate::session::Session;
use serde_json::{Value, json};
use strata_core::Error;
use strata_core::pack::Pack;
use strata_core::plan::{self, Known};
use strata_core::statement::Statement;
use strata_core::variables::{self, Values};
use strata_core::verify::{self, Check};

/// Prints the checks that are not as expected, with --json all of them; an error when there are any.
pub async fn run(args: &Args, output: &Output) -> Result<u8, Error> {
    let pack = folder::read(args)?;
    let session = Session::open_installed(args).await?;
    session.ask("opening the session", &Statement::ground()).await?;
    let name = pack.manifest.name.as_str();
    let values = values(&session, &pack).await?;
    let known = ask(&session, include_str!("../../sql/query/migrations.sql"), name).await?;
    let mut all = Vec::new();
    for applied in known.iter().map(Known::read).filter(|k| k.state == "applied") {
        all.extend(checks(&session, &pack, &values, applied.version).await?);
    }
    Ok(print(output, name, &all))
}

async fn ask(
    session: &Session,
    sql: &'static str,
    pack: &str,
) -> Result<Vec<strata_core::statement::Row>, Error> {
    session.ask("reading the state", &Statement::ours(sql, vec![pack.into()])).await
}

async fn values(session: &Session, pack: &Pack) -> Result<Values, Error> {
    let rows = ask(session, include_str!("../../sql/query/variables.sql"), &pack.manifest.name).await?;
    let pair = |mut row: strata_core::statement::Row| Some((row.remove(0)?, row.remove(0)?));
    let stored: Values = rows.into_iter().filter_map(pair).collect();
    variables::resolve(&pack.manifest.variables, &pack.given, &stored)
}

async fn checks(
    session: &Session,
    pack: &Pack,
    values: &Values,
    version: i64,
) -> Result<Vec<(i64, Check)>, Error> {
    let Some((file, query)) = plan::verification(pack, values, version)? else { return Ok(Vec::new()) };
    let rows = read_only(session, &query).await.map_err(|cause| Error::failed(&file, cause))?;
    Ok(verify::checks(&file, &rows)?.into_iter().map(|check| (version, check)).collect())
}

async fn read_only(session: &Session, query: &str) -> strata_core::statement::Reply {
    session.run(&Statement::verbatim("begin read only")).await?;
    let rows = session.run(&Statement::check(query)).await;
    session.run(&Statement::verbatim("rollback")).await?;
    rows
}

/// What was found. Returns the exit code.
pub fn print(output: &Output, pack: &str, checks: &[(i64, Check)]) -> u8 {
    let object = |(version, c): &(i64, Check)| json!({"version": version, "check": c.name, "expected": c.expected, "actual": c.actual, "ok": c.ok});
    let objects: Vec<Value> = checks.iter().map(object).collect();
    let line = |(version, c): &(i64, Check)| {
        vec![version.to_string(), c.name.clone(), c.expected.clone(), c.actual.clone()]
    };
    let bad: Vec<Vec<String>> = checks.iter().filter(|(_, c)| !c.ok).map(line).collect();
    let text = match (checks.len(), bad.is_empty()) {
        (0, _) => "nothing to verify: no applied version has a verification".to_owned(),
        (1, true) => "1 check ok".to_owned(),
        (n, true) => format!("{n} checks ok"),
        (_, false) => table(&["VERSION", "CHECK", "EXPECTED", "FOUND"], bad),
    };
    let all: Vec<Check> = checks.iter().map(|(_, check)| check.clone()).collect();
    let json = json!({"pack": pack, "ok": all.iter().all(|c| c.ok), "checks": objects});
    match verify::judge(&format!("pack {pack}"), &all) {
        Ok(()) => {
            output.result(json, &text);
            0
        }
        Err(error) => output.bad_result(json, &text, &error),
    }
}
