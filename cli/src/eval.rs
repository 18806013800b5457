//! `eval`: how well search answers a labelled set: embeds its documents and questions, stores and searches them as any
//! others, and compares the answers with the judgements. Leaves nothing in the database.

mod chain;
mod set;

use crate::args::{Args, DEFAULT_MODEL, Eval, Mode};
use crate::embed;
use crate::output::{Output, table};
use crate::provider::{self, Provider};
use crate::session::{Session, db_error, failed};
use crate::sources::{Model, provider_failed};
use chain::Chain;
use indicatif::ProgressBar;
use pgvector::Vector;
use serde_json::json;
use set::Set;
use std::collections::BTreeMap;
use strata_core::eval::{Quality, quality};
use strata_core::{Error, Kind};

/// Texts between two steps of the progress bar.
const STEP: usize = 32;

/// One way to ask, and how well it answered.
struct Measured {
    mode: Mode,
    /// Share of the words; none where they are not asked for.
    weight: Option<f64>,
    quality: Quality,
}

/// `strata eval DIR`
pub async fn run(args: &Args, eval: &Eval, output: &Output) -> Result<u8, Error> {
    let set = Set::read(&eval.folder, eval.qrels.as_deref())?;
    let session = Session::open_installed(args).await?;
    let model = model(&session, &eval.model).await?;
    let chain = Chain { session: &session, model: &model, config: &eval.text_search_config };
    let texts = chain.texts(&set).await?;
    let provider = model.open()?;
    output.log(&format!("{} documents and {} questions", set.documents.len(), set.queries.len()));
    let bar = embed::bar(output, (texts.len() + set.queries.len()) as u64);
    let documents = vectors(provider.as_ref(), &texts, &bar).await?;
    let questions: Vec<String> = set.queries.iter().map(|query| query.text.clone()).collect();
    let questions: Vec<Vector> =
        vectors(provider.as_ref(), &questions, &bar).await?.into_iter().flatten().collect();
    bar.finish_and_clear();
    chain.store(&set, &documents).await?;
    let mut measured = Vec::new();
    for (mode, weight) in ways(eval) {
        let quality = measure(&chain, &set, &questions, weight, eval.count).await?;
        measured.push(Measured { mode, weight, quality });
    }
    chain.end().await?;
    print(output, eval, &model, &set, &measured);
    Ok(0)
}

/// The model of that name: as the database knows it, else the local one.
async fn model(session: &Session, name: &str) -> Result<Model, Error> {
    let sql = "select m.provider, m.dimensions from strata.model m where m.name = $1";
    let known = session.client().query_opt(sql, &[&name]).await;
    let known = known.map_err(|e| failed("reading the models", db_error(e)))?;
    let (provider, dimensions) = match &known {
        Some(row) => (row.get(0), usize::try_from(row.get::<_, i32>(1)).unwrap_or(0)),
        None if name == DEFAULT_MODEL => ("local".to_owned(), DEFAULT_DIMENSIONS),
        None => {
            return Err(Error::new(Kind::NotFound, format!("model \"{name}\" does not exist"))
                .hint("call strata.add_model first"));
        }
    };
    Ok(Model { name: name.to_owned(), provider, dimensions })
}

/// Of the model that is there out of the box.
const DEFAULT_DIMENSIONS: usize = 384;

/// A vector for each text; none where there is no text, as for any row.
async fn vectors(
    provider: &dyn Provider,
    texts: &[String],
    bar: &ProgressBar,
) -> Result<Vec<Option<Vector>>, Error> {
    let mut vectors = Vec::with_capacity(texts.len());
    for part in texts.chunks(STEP) {
        let told: Vec<String> = part.iter().filter(|text| !text.is_empty()).cloned().collect();
        let made = provider::checked(provider, &told).await.map_err(provider_failed)?;
        let mut made = made.into_iter().map(Vector::from);
        vectors.extend(part.iter().map(|text| if text.is_empty() { None } else { made.next() }));
        bar.inc(part.len() as u64);
    }
    Ok(vectors)
}

/// Every mode that was asked for, hybrid once for each weight.
fn ways(eval: &Eval) -> Vec<(Mode, Option<f64>)> {
    let weights = |mode: &Mode| match mode {
        Mode::Vector => vec![None],
        Mode::Text => vec![Some(1.0)],
        Mode::Hybrid => eval.text_weight.iter().copied().map(Some).collect(),
    };
    eval.modes.iter().flat_map(|mode| weights(mode).into_iter().map(|weight| (*mode, weight))).collect()
}

async fn measure(
    chain: &Chain<'_>,
    set: &Set,
    questions: &[Vector],
    weight: Option<f64>,
    count: i32,
) -> Result<Quality, Error> {
    let mut rankings = BTreeMap::new();
    for (query, embedding) in set.queries.iter().zip(questions) {
        let text = weight.map(|_| query.text.as_str());
        let found = chain.search(embedding, count, text, weight.unwrap_or_default()).await?;
        let ids: Vec<String> =
            found.iter().filter_map(|n| set.documents.get(*n)).map(|document| document.id.clone()).collect();
        rankings.insert(query.id.clone(), ids);
    }
    Ok(quality(&set.judgements, &rankings, usize::try_from(count).unwrap_or(0)))
}

fn print(output: &Output, eval: &Eval, model: &Model, set: &Set, measured: &[Measured]) {
    let queries = measured.first().map_or(0, |measured| measured.quality.queries);
    let object = |m: &Measured| {
        json!({
            "mode": m.mode.to_string(), "text_weight": m.weight,
            "ndcg": m.quality.ndcg, "recall": m.quality.recall, "mrr": m.quality.mrr,
        })
    };
    let json = json!({
        "model": model.name, "documents": set.documents.len(), "queries": queries, "depth": eval.count,
        "modes": measured.iter().map(object).collect::<Vec<_>>(),
    });
    let line = |m: &Measured| {
        let weight = m.weight.filter(|_| m.mode == Mode::Hybrid).map(|weight| format!(" {weight}"));
        let figure = |figure: f64| format!("{figure:.4}");
        let Quality { ndcg, recall, mrr, .. } = m.quality;
        vec![format!("{}{}", m.mode, weight.unwrap_or_default()), figure(ndcg), figure(recall), figure(mrr)]
    };
    let head = ["NDCG", "RECALL", "MRR"].map(|name| format!("{name}@{}", eval.count));
    let text = table(&["MODE", &head[0], &head[1], &head[2]], measured.iter().map(line).collect());
    output.result(json, &text);
}
