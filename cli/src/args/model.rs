//! The arguments of `model`.

use clap::Subcommand;

/// What to do with models.
#[derive(Subcommand, Debug)]
pub enum Model {
    /// Make a model known; nothing uses it yet.
    Add(Add),
    /// Show the models, and how far changes of them are.
    Status(ModelStatus),
    /// Embed the sources of a model with another one as well, while search goes on under the old one.
    Change(Change),
    /// Search under the new model from now on; refused until every row that search finds has its vector.
    Switch(Turn),
    /// Search under the old model again, which is kept current until the change is ended.
    Revert(Turn),
    /// Stay with the model that is searched by: no longer keep the vectors of the other.
    End(End),
    /// Give a change another budget; what the old one has stopped goes on.
    Budget(Budget),
}

/// Options of `model add`.
#[derive(clap::Args, Debug)]
pub struct Add {
    /// As its provider calls it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Who runs it: local, openai, ollama or supabase.
    #[arg(long, value_name = "PROVIDER")]
    pub provider: String,
    /// Elements of its vectors.
    #[arg(long, value_name = "N")]
    pub dimensions: u32,
    /// Tokens that it reads of one text.
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u32>,
}

/// Options of `model status`.
#[derive(clap::Args, Debug)]
pub struct ModelStatus {
    /// How far each change is, for each source and tenant; reads the tables.
    #[arg(long)]
    pub tenants: bool,
}

/// Options of `model change`.
#[derive(clap::Args, Debug)]
pub struct Change {
    /// The model that sources are searched by.
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The model that is to take its place.
    #[arg(value_name = "TO")]
    pub to: String,
    /// Say what it would take, and change nothing.
    #[arg(long)]
    pub estimate: bool,
    /// What the provider takes for a million tokens, for the estimate.
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub price: Option<String>,
    /// Most tokens that may be sent to the new model until the switch.
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(i64).range(1..))]
    pub budget: Option<i64>,
    /// Keep the new vectors of an entity type in this column of its table, not in a store.
    #[arg(long, value_name = "TYPE=COLUMN", value_parser = super::pair)]
    pub column: Vec<(String, String)>,
    /// How the store keeps numbers: halfvec, two bytes each, or vector, four.
    #[arg(long, value_name = "TYPE", default_value = "halfvec", value_parser = ["halfvec", "vector"])]
    pub store: String,
}

/// Options of `model switch` and `model revert`.
#[derive(clap::Args, Debug)]
pub struct Turn {
    /// The new model of the change.
    #[arg(value_name = "TO")]
    pub to: String,
    /// Rows that may lack a vector: no search finds them until they have it.
    #[arg(long, value_name = "ROWS", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub missing_at_most: i64,
}

/// Options of `model end`.
#[derive(clap::Args, Debug)]
pub struct End {
    /// The new model of the change.
    #[arg(value_name = "TO")]
    pub to: String,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Options of `model budget`.
#[derive(clap::Args, Debug)]
pub struct Budget {
    /// The new model of the change.
    #[arg(value_name = "TO")]
    pub to: String,
    /// Most tokens that may be sent to it until the switch, those that were sent already among them. Without it: no limit.
    #[arg(value_name = "TOKENS", value_parser = clap::value_parser!(i64).range(1..))]
    pub tokens: Option<i64>,
}

/// A number as Postgres reads it too.
fn price(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(price) if price >= 0.0 && price.is_finite() => Ok(text.to_owned()),
        _ => Err("a number from 0 is expected".to_owned()),
    }
}
