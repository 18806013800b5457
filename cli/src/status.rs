//! `status`: every version and where it stands.

use crate::args::{Args, Status};
use crate::folder;
use crate::install;
use crate::output::{Output, table};
use crate::session::Session;
use serde_json::{Value, json};
use strata_core::pack::Pack;
use strata_core::statement::{Row, Statement};
use strata_core::{Error, Kind};

/// Exit code when versions are pending and `--exit-code` asks for it.
const PENDING: u8 = 3;

/// Prints the versions of the pack, from the database, and from the folder what the database has not seen.
pub async fn run(args: &Args, status: &Status, output: &Output) -> Result<u8, Error> {
    let name = folder::name(args)?;
    let folder = folder::read(args).ok();
    let session = Session::open(args).await?;
    let mut rows = match install::server(&session).await?.strata_installed {
        Some(_) => known(&session, &name).await?,
        None => Vec::new(),
    };
    if rows.is_empty() && folder.is_none() {
        return Err(Error::new(
            Kind::UnknownPack,
            format!("pack \"{name}\" is known neither here nor in {}", session.address()),
        )
        .hint("name its folder with --path"));
    }
    add_unseen(&mut rows, folder.as_ref());
    print(output, &name, &rows);
    let pending = rows.iter().any(|row| cell(row, 4) != "applied");
    Ok(if status.exit_code && pending { PENDING } else { 0 })
}

async fn known(session: &Session, pack: &str) -> Result<Vec<Row>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/status.sql"), vec![pack.into()]);
    session.ask("reading the status", &statement).await
}

fn add_unseen(rows: &mut Vec<Row>, pack: Option<&Pack>) {
    let Some(pack) = pack else { return };
    for migration in &pack.migrations {
        let version = migration.version.to_string();
        if rows.iter().any(|row| cell(row, 0) == version) {
            continue;
        }
        let phase = pack.phase(migration.phase).map(|p| p.name.clone());
        let known = [
            version,
            migration.name.clone(),
            migration.phase.to_string(),
            phase.unwrap_or_default(),
            "pending".into(),
        ];
        rows.push(known.into_iter().map(Some).chain((0..4).map(|_| None)).collect());
    }
    rows.sort_by_key(|row| cell(row, 0).parse::<i64>().unwrap_or(0));
}

fn cell(row: &Row, index: usize) -> &str {
    row.get(index).and_then(Option::as_deref).unwrap_or_default()
}

fn print(output: &Output, pack: &str, rows: &[Row]) {
    let number = |row: &Row, index| cell(row, index).parse::<i64>().ok();
    let object = |row: &Row| {
        json!({
            "version": number(row, 0), "name": cell(row, 1), "phase": number(row, 2), "phase_name": cell(row, 3),
            "state": cell(row, 4), "applied_at": row[5], "execution_time_ms": number(row, 6),
            "sqlstate": row[7], "error_message": row[8],
        })
    };
    let versions: Vec<Value> = rows.iter().map(object).collect();
    let lines = rows.iter().map(|row| {
        let error = match cell(row, 7) {
            "" => String::new(),
            code => format!("{code} {}", cell(row, 8)),
        };
        let phase = format!("{} {}", cell(row, 2), cell(row, 3));
        let texts = [cell(row, 0), cell(row, 1), &phase, cell(row, 4), cell(row, 5), cell(row, 6), &error];
        texts.map(str::to_owned).to_vec()
    });
    let head = ["VERSION", "NAME", "PHASE", "STATE", "APPLIED AT", "MS", "LAST ERROR"];
    output.result(json!({"pack": pack, "versions": versions}), &table(&head, lines.collect()));
}
