//! `POST search`: embeds the text where one is given, and asks `rag_search` as the caller: row level security decides.

use super::database::Database;
use super::provider::Desk;
use crate::answer::{self, Found};
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::provider::{self, Model, Providers};
use crate::request::Search;
use crate::rpc;
use strata_core::{Error, Kind};

/// The rows that were asked for.
pub async fn search(
    database: &Database,
    providers: &Providers,
    asked: &Search,
    by: &Credentials,
) -> Result<Found, Fault> {
    let embedding = match asked.text()? {
        None => asked.embedding.clone().unwrap_or_default(),
        Some(text) => {
            let model = model(answer::read(database.call(&rpc::search_model(), by).await?)?)?;
            embed(providers, model, text).await?.into_iter().map(f64::from).collect()
        }
    };
    let hits = answer::read(database.call(&rpc::rag_search(asked, &embedding), by).await?)?;
    Ok(Found { hits })
}

/// The one model that all sources share: vectors of two models have no common ranking.
fn model(mut models: Vec<Model>) -> Result<Model, Fault> {
    if let (Some(model), true) = (models.pop(), models.is_empty()) {
        return Ok(model);
    }
    let message = "the sources have no model, or several: a text cannot be searched for";
    Err(Error::new(Kind::BadArgument, message)
        .with_sqlstate("55000")
        .hint("send an embedding, or look at strata.sources()")
        .into())
}

/// The vector of a text.
async fn embed(providers: &Providers, model: Model, text: &str) -> Result<Vec<f32>, Fault> {
    let desk = Desk::new(model.clone(), providers.way(&model)?);
    let made = desk.vectors(&[text.to_owned()]).await;
    let mut made = made.map_err(|cause| provider::told(&model, &cause))?;
    Ok(made.swap_remove(0))
}
