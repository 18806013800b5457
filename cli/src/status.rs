//! `status`: every version and where it stands.

use crate::args::{Args, Status};
use crate::open_run;
use crate::output::{Output, table};
use crate::session::Session;
use crate::{connect, folder, foreign};
use serde_json::{Value, json};
use strata_core::pack::{Pack, Phase};
use strata_core::statement::{Row, Statement, column};
use strata_core::{Error, Kind};

/// Exit code when versions are pending and `--exit-code` asks for it.
pub const PENDING: u8 = 3;

/// Prints the versions of the pack, from the database, and from the folder what the database has not seen.
pub async fn run(args: &Args, status: &Status, output: &Output) -> Result<u8, Error> {
    let name = folder::name(args)?;
    let folder = folder::read(args).ok();
    let session = Session::open(args).await?;
    let installed = session.server().await?.strata_installed.is_some();
    let (mut rows, phases, run) = match installed {
        true => (
            known(&session, &name).await?,
            phases(&session, &name).await?,
            open_run::read(&session, &name).await?,
        ),
        false => (Vec::new(), Vec::new(), None),
    };
    if rows.is_empty() && folder.is_none() {
        return Err(Error::new(
            Kind::UnknownPack,
            format!("pack \"{name}\" is known neither here nor in {}", session.address()),
        )
        .hint("name its folder with --path"));
    }
    let unseen = rows.is_empty();
    if let Some(pack) = &folder {
        compare(&mut rows, pack);
        add_unseen(&mut rows, pack);
        if unseen {
            let wish = args.wish(connect::migrations_table(args.database.as_deref())?).of(pack);
            let applied = foreign::applied(&session, pack, &wish, installed).await?;
            take_over(&mut rows, &applied, output);
        }
    }
    let phases = if phases.is_empty() { planned(folder.as_ref()) } else { phases };
    print(output, &name, (&rows, &phases), run.as_ref());
    let applied = ["applied", "changed", "missing"];
    let pending = rows.iter().any(|row| !applied.contains(&column(row, 4)));
    Ok(if status.exit_code && pending { PENDING } else { 0 })
}

async fn known(session: &Session, pack: &str) -> Result<Vec<Row>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/status.sql"), vec![pack.into()]);
    session.ask("reading the status", &statement).await
}

async fn phases(session: &Session, pack: &str) -> Result<Vec<Row>, Error> {
    let statement = Statement::ours(include_str!("../../sql/query/phase_status.sql"), vec![pack.into()]);
    session.ask("reading the phases", &statement).await
}

/// The phases of a pack that the database has not seen: nothing is applied, no gate was asked.
fn planned(pack: Option<&Pack>) -> Vec<Row> {
    let row = |p: &Phase| {
        let gate = if p.is_gated() { "not asked" } else { "none" };
        let (number, versions) = (p.number.to_string(), p.migrations.len().to_string());
        [number, p.name.clone(), p.days.clone(), versions, "0".into(), gate.into()].map(Some).to_vec()
    };
    pack.map(|pack| pack.manifest.phases.iter().map(row).collect()).unwrap_or_default()
}

/// Where the folder is at hand, it says more of an applied version: its file has `changed`, or is `missing`. A version that
/// was never applied and has no file is of the past.
fn compare(rows: &mut Vec<Row>, pack: &Pack) {
    let file = |row: &Row| column(row, 0).parse().ok().and_then(|version| pack.migration(version));
    rows.retain(|row| column(row, 4) != "pending" || file(row).is_some());
    for row in rows {
        let state = match file(row) {
            None => "missing",
            Some(is) if column(row, 4) == "applied" && is.checksum() != column(row, 9) => "changed",
            Some(_) => continue,
        };
        row[4] = Some(state.to_owned());
    }
}

fn add_unseen(rows: &mut Vec<Row>, pack: &Pack) {
    for migration in &pack.migrations {
        let version = migration.version.to_string();
        if rows.iter().any(|row| column(row, 0) == version) {
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
        rows.push(known.into_iter().map(Some).chain((0..5).map(|_| None)).collect());
    }
    rows.sort_by_key(|row| column(row, 0).parse::<i64>().unwrap_or(0));
}

/// What another tool has applied counts, as `version` counts it.
fn take_over(rows: &mut [Row], applied: &[i64], output: &Output) {
    let is_applied = |row: &Row| column(row, 0).parse().is_ok_and(|version| applied.contains(&version));
    for row in rows.iter_mut().filter(|row| is_applied(row)) {
        row[4] = Some("applied".to_owned());
    }
    if !applied.is_empty() {
        output.log("applied by another migration tool; the first run takes that over");
    }
}

/// Versions and phases as rows of their statements, and the run that has not ended.
pub fn print(output: &Output, pack: &str, (rows, phases): (&[Row], &[Row]), run: Option<&Row>) {
    let number = |row: &Row, index| column(row, index).parse::<i64>().ok();
    let object = |row: &Row| {
        json!({
            "version": number(row, 0), "name": column(row, 1), "phase": number(row, 2), "phase_name": column(row, 3),
            "state": column(row, 4), "applied_at": row[5], "execution_time_ms": number(row, 6),
            "sqlstate": row[7], "error_message": row[8],
        })
    };
    let versions: Vec<Value> = rows.iter().map(object).collect();
    let lines = rows.iter().map(|row| {
        let error = match column(row, 7) {
            "" => String::new(),
            code => format!("{code} {}", column(row, 8)),
        };
        let phase = format!("{} {}", column(row, 2), column(row, 3));
        let texts =
            [column(row, 0), column(row, 1), &phase, column(row, 4), column(row, 5), column(row, 6), &error];
        texts.map(str::to_owned).to_vec()
    });
    let head = ["VERSION", "NAME", "PHASE", "STATE", "APPLIED AT", "MS", "LAST ERROR"];
    let mut text = table(&head, lines.collect());
    // A pack without gates has nothing to say of its phases that its versions do not say.
    if phases.iter().any(|row| column(row, 5) != "none" || column(row, 3) == "0") {
        text = format!("{text}\n\n{}", of_phases(phases));
    }
    if let Some(run) = run {
        text = format!("{text}\n\n{}", open_run::line(run));
    }
    let phases: Vec<Value> = phases.iter().map(phase_object).collect();
    let run = run.map(open_run::object);
    output.result(json!({"pack": pack, "versions": versions, "phases": phases, "run": run}), &text);
}

fn phase_object(row: &Row) -> Value {
    let number = |index| column(row, index).parse::<i64>().ok();
    json!({
        "phase": number(0), "name": column(row, 1), "days": column(row, 2), "versions": number(3), "applied": number(4),
        "gate": column(row, 5), "missing": row.get(6).cloned().flatten(),
    })
}

fn of_phases(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let phase = format!("{} {}", column(row, 0), column(row, 1));
        let versions = format!("{} of {}", column(row, 4), column(row, 3));
        vec![phase, versions, column(row, 5).to_owned(), column(row, 6).to_owned()]
    };
    table(&["PHASE", "APPLIED", "GATE", "MISSING"], rows.iter().map(line).collect())
}
