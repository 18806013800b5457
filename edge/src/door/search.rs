//! `POST search`: embeds the text where one is given, and asks `strata.search` as the caller: row level security decides.

use super::database::Database;
use super::provider::Desk;
use crate::answer::{self, Found, Hit};
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::provider::{self, Model, Providers};
use crate::request::Search;
use crate::rpc;
use strata_core::{Error, Kind};

/// What a search is made with.
pub struct Door<'d> {
    /// Where it is asked.
    pub database: &'d Database,
    /// Who embeds a text.
    pub providers: &'d Providers,
    /// As whom.
    pub by: &'d Credentials,
}

impl Door<'_> {
    /// The rows that were asked for.
    pub async fn search(&self, asked: &Search) -> Result<Found, Fault> {
        let hits = match asked.text()? {
            None => {
                let embedding = asked.embedding.as_deref().unwrap_or_default();
                self.hits(asked, embedding, asked.embedding_model.as_deref()).await?
            }
            Some(text) => self.near(asked, text).await?,
        };
        Ok(Found { hits })
    }

    /// Near to a text, embedded with the model that the sources are searched by.
    async fn near(&self, asked: &Search, text: &str) -> Result<Vec<Hit>, Fault> {
        let model = self.model(asked).await?;
        match self.near_by(&model, asked, text).await {
            // The sources may have been switched to another model since we asked for it.
            Err(fault) if fault.body.code == Kind::BadData.sqlstate() => {
                let now = self.model(asked).await?;
                if now == model { Err(fault) } else { self.near_by(&now, asked, text).await }
            }
            done => done,
        }
    }

    async fn near_by(&self, model: &Model, asked: &Search, text: &str) -> Result<Vec<Hit>, Fault> {
        let embedding: Vec<f64> = self.embed(model, text).await?.into_iter().map(f64::from).collect();
        self.hits(asked, &embedding, Some(&model.model)).await
    }

    async fn hits(&self, asked: &Search, embedding: &[f64], model: Option<&str>) -> Result<Vec<Hit>, Fault> {
        answer::read(self.database.call(&rpc::search(asked, embedding, model), self.by).await?)
    }

    /// The one model that all sources that are asked for share: vectors of two models have no common ranking.
    async fn model(&self, asked: &Search) -> Result<Model, Fault> {
        let call = rpc::search_model(asked.entity_types.as_deref());
        let mut models: Vec<Model> = answer::read(self.database.call(&call, self.by).await?)?;
        if let (Some(model), true) = (models.pop(), models.is_empty()) {
            return Ok(model);
        }
        let message = "the sources have no model, or several: a text cannot be searched for";
        Err(Error::new(Kind::BadArgument, message)
            .with_sqlstate("55000")
            .hint("name sources of one model in entity_types, or send an embedding; strata.sources() shows them")
            .into())
    }

    /// The vector of a text.
    async fn embed(&self, model: &Model, text: &str) -> Result<Vec<f32>, Fault> {
        let desk = Desk::new(model.clone(), self.providers.way(model)?);
        let made = desk.vectors(&[text.to_owned()]).await;
        let mut made = made.map_err(|cause| provider::told(model, &cause))?;
        Ok(made.swap_remove(0))
    }
}
