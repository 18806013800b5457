//! `search` through the function, which embeds the text and asks as the service: the tenant must be named.

use super::function::Function;
use crate::args::Search;
use crate::output::Output;
use crate::search::{self as shown, Hit};
use serde_json::{Value, json};
use strata_core::{Error, Kind};

/// The share of the words where nobody names one, as `strata.search` has it.
const WORDS: f64 = 0.5;

/// Shows the hits as ever.
pub async fn run(function: &Function, search: &Search, output: &Output) -> Result<u8, Error> {
    if search.text.trim().is_empty() {
        return Err(Error::new(Kind::BadArgument, "the text to search for is empty"));
    }
    let said = match function.post("search", &asked(search, search.text_weight.or(Some(WORDS)))).await {
        // Without a word of the caller's, words count where a source has them.
        Err(error) if search.text_weight.is_none() && has_no_words(&error) => {
            function.post("search", &asked(search, None)).await?
        }
        done => done?,
    };
    let hits = said["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    shown::print(output, search, &hits.iter().map(hit).collect::<Vec<_>>());
    Ok(0)
}

fn has_no_words(error: &Error) -> bool {
    error.sqlstate() == "55000" && error.message() == "no source can be searched by its words"
}

fn asked(search: &Search, text_weight: Option<f64>) -> Value {
    json!({
        "query": search.text, "user": search.user, "organisation": search.organisation, "match_count": search.count,
        "date_range_days": search.days, "entity_types": search.types, "minimum_similarity": search.minimum,
        "metadata_filter": search.filter, "source_weights": search.weights, "diversity": search.diversity,
        "text_weight": text_weight,
    })
}

fn hit(said: &Value) -> Hit {
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Hit {
        entity_type: text("entity_type").unwrap_or_default(),
        entity_id: text("entity_id").unwrap_or_default(),
        title: text("title"),
        content: text("content"),
        similarity: said["similarity"].as_f64(),
        created_at: text("created_at").map(|time| second(&time)),
        metadata: Some(said["metadata"].clone()),
    }
}

/// A time to the second, as a connection tells it.
fn second(time: &str) -> String {
    let shown = time.parse::<jiff::Timestamp>().map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    shown.unwrap_or_else(|_| time.to_owned())
}
