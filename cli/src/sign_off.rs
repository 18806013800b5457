//! `sign-off`: signs an item of the checklist, or takes that back.

use crate::args::{Args, SignOff};
use crate::folder;
use crate::output::Output;
use crate::session::Session;
use serde_json::json;
use strata_core::Error;
use strata_core::statement::{Statement, Value};

/// Signs as the session's user. Where the folder is at hand its files must be those that the database knows.
pub async fn run(args: &Args, sign: &SignOff, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let session = Session::open_installed(args).await?;
    let (doing, done, statement) = match sign.withdraw {
        true => ("withdrawing the sign-off", "withdrawn", withdrawal(&pack, sign)),
        false => ("signing", "signed", signature(&pack, sign, files(args, sign))),
    };
    let rows = session.ask(doing, &statement).await?;
    let number = rows.first().and_then(|row| row.first()?.as_deref()?.parse::<i64>().ok());
    let json = json!({"pack": pack, "item": sign.item, "signature": number, "withdrawn": sign.withdraw});
    output.result(json, &format!("{} is {done}", sign.item));
    Ok(0)
}

/// The files of the item's phase in the folder.
fn files(args: &Args, sign: &SignOff) -> Option<String> {
    let phase = sign.item.split_once('.')?.0.parse().ok()?;
    Some(folder::read(args).ok()?.phase_files(phase))
}

fn signature(pack: &str, sign: &SignOff, files: Option<String>) -> Statement {
    let evidence = sign.evidence.clone().unwrap_or_else(|| json!({}));
    let params = vec![
        pack.into(),
        sign.item.as_str().into(),
        sign.reason.as_str().into(),
        Value::Json(evidence),
        files.as_deref().into(),
    ];
    Statement::ours(include_str!("../../sql/query/sign_off.sql"), params)
}

fn withdrawal(pack: &str, sign: &SignOff) -> Statement {
    let params = vec![pack.into(), sign.item.as_str().into(), sign.reason.as_str().into()];
    Statement::ours(include_str!("../../sql/query/withdraw_sign_off.sql"), params)
}
