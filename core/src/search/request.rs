//! What a caller of search asks for, and what of it is refused.

use super::{Access, Ids, KeyType, Source, Words, unfit};
use crate::error::{Error, Kind};
use serde_json::Value;

/// A uuid.
pub type Id = [u8; 16];

/// Most rows that one search returns. Unit: rows. Above it, paging by date or a narrower question serves better.
const MAX_ROWS: i32 = 1000;

/// Longest reach back. Unit: days, about 2,700 years: beyond it, subtracting from now leaves the calendar of Postgres.
const MAX_DAYS: i32 = 1_000_000;

/// Largest and smallest weight: with them a score is still a number that tells rows apart.
const WEIGHTS: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

/// The largest component of a vector whose length pgvector can tell: it adds squares up as numbers of four bytes, which hold
/// 1e-38 to 3e38.
const COMPONENTS: std::ops::RangeInclusive<f32> = 1e-10..=1e10;

/// Longest query_text. Unit: bytes. Postgres parses no text into words that is much longer.
const MAX_TEXT: usize = 500_000;

/// Longest text whose quotes and minus signs are operators. Unit: bytes. What is longer is a document, and quotes others.
const MAX_OPERATORS: usize = 4096;

/// Share of the text where query_text is given and text_weight is not. Source: docs/search_quality.md, measured on
/// Cranfield with all-MiniLM-L6-v2: 0.3 to 0.7 lie within 0.004 nDCG@10, and the middle prefers neither.
const TEXT_WEIGHT: f64 = 0.5;

/// The arguments of `rag_search` and of `find_similar_content`, nulls and all, but for the tenant.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the rows are to be near to.
    pub near: Near<'a>,
    /// match_count, max_results
    pub count: Option<i32>,
    /// date_range_days
    pub days: Option<i32>,
    /// Everything that has a default.
    pub options: Options<'a>,
}

/// What the rows are to be near to.
#[derive(Clone, Copy, Debug)]
pub enum Near<'a> {
    /// query_embedding
    Embedding(Option<&'a [f32]>),
    /// The embedding of a row of this source, which is no answer itself. Its key stays with the door.
    Row(&'a str),
}

/// Arguments that narrow or reorder an answer. Null everywhere: neither.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// entity_types: these and no others.
    pub entity_types: Option<&'a [Option<String>]>,
    /// minimum_similarity, similarity_threshold: from -1 to 1.
    pub minimum: Option<f64>,
    /// metadata_filter: what the metadata must contain. Whether it is an object; the value itself stays with the door.
    pub metadata_is_object: Option<bool>,
    /// source_weights: entity type to a number above 0; those that are absent weigh 1.
    pub weights: Option<&'a Value>,
    /// query_text: what is also looked for by its words.
    pub text: Option<&'a str>,
    /// text_weight: from 0, the embedding alone, to 1, the words alone.
    pub text_weight: Option<f64>,
    /// How rows and tenants are named.
    pub ids: Ids,
    /// Whose rows, where tenants are named by text: sources whose tenants are never called so are left out.
    pub tenant: Option<&'a str>,
    /// organisation_filter: sources without organisations, or whose organisations are never called so, are left out.
    pub organisation: Option<&'a str>,
    /// diversity: from 0, similarity alone, to 1, difference from what stands above alone.
    pub diversity: Option<f64>,
    /// embedding_model: the model that made the embedding.
    pub model: Option<&'a str>,
}

impl Request<'_> {
    /// Refuses values that cannot be, whatever the sources are.
    pub fn check(&self) -> Result<(), Error> {
        if let Near::Embedding(embedding) = self.near {
            let embedding = embedding.ok_or_else(|| null("query_embedding must not be null"))?;
            let largest = largest(embedding);
            if largest == 0.0 || !largest.is_finite() {
                return Err(no_direction("query_embedding"));
            }
        }
        if self.options.metadata_is_object == Some(false) {
            return Err(refused("metadata_filter must be an object".to_owned())
                .hint("such as {\"status\": \"todo\"}"));
        }
        between(self.minimum_name(), -1.0, self.options.minimum)?;
        if let Some(long) = self.options.text.map(str::len).filter(|bytes| *bytes > MAX_TEXT) {
            return Err(refused(format!("query_text must have at most {MAX_TEXT} bytes, not {long}"))
                .hint("ask with the part that says what is looked for"));
        }
        between("text_weight", 0.0, self.options.text_weight)?;
        between("diversity", 0.0, self.options.diversity)
    }

    /// Rows wanted.
    pub(super) fn rows(&self) -> Result<i64, Error> {
        let name = match self.near {
            Near::Embedding(_) => "match_count",
            Near::Row(..) => "max_results",
        };
        match self.count {
            Some(count) if (1..=MAX_ROWS).contains(&count) => Ok(count.into()),
            other => {
                let shown = other.map_or_else(|| "null".to_owned(), |v| v.to_string());
                Err(refused(format!("{name} must be between 1 and {MAX_ROWS}, not {shown}")))
            }
        }
    }

    /// How old a row may be.
    pub(super) fn days(&self) -> Result<Option<i32>, Error> {
        match self.days {
            Some(days) if days < 0 => {
                Err(refused(format!("date_range_days must not be negative, not {days}")))
            }
            other => Ok(other.map(|days| days.min(MAX_DAYS))),
        }
    }

    /// Whether this source was asked for. Where nobody was named, all were.
    pub(super) fn wants(&self, source: &Source) -> bool {
        let named = |types: &[Option<String>]| types.iter().flatten().any(|t| *t == source.entity_type);
        self.options.entity_types.is_none_or(named)
    }

    /// Why the rows of a source cannot be named, or narrowed, as is asked, and at which step that was found; none where they
    /// can, and where something is wrong with it, which is told instead.
    pub(super) fn misfit(&self, source: &Source) -> Option<(usize, Error)> {
        if !matches!(source.access, Access::Readable | Access::Denied) {
            return None;
        }
        if !self.options.ids.fit(source) {
            return Some((0, unfit(source)));
        }
        if let Some(tenant) = self.options.tenant.filter(|tenant| !source.tenant_type.holds(tenant)) {
            return Some((1, misnamed("user_id_filter", tenant, source, source.tenant_type)));
        }
        let organisation = self.options.organisation?;
        match &source.organisation {
            None => Some((2, unorganised(source))),
            Some((_, of)) if !of.holds(organisation) => {
                Some((3, misnamed("organisation_filter", organisation, source, *of)))
            }
            Some(_) => None,
        }
    }

    /// Refuses entity types that are no source.
    pub(super) fn known(&self, sources: &[Source]) -> Result<(), Error> {
        let Some(types) = self.options.entity_types else { return Ok(()) };
        if types.is_empty() {
            return Err(
                refused("entity_types must not be empty".to_owned()).hint("pass null for all of them")
            );
        }
        for entity_type in types {
            let entity_type =
                entity_type.as_ref().ok_or_else(|| null("entity_types must not contain null"))?;
            known("entity_types", entity_type, sources)?;
        }
        Ok(())
    }

    /// The weight of each of these sources; none where all weigh the same.
    pub(super) fn weights(&self, chosen: &[&Source], all: &[Source]) -> Result<Option<Vec<f64>>, Error> {
        let Some(weights) = self.options.weights else { return Ok(None) };
        let object = weights.as_object().ok_or_else(|| {
            refused("source_weights must be an object".to_owned()).hint("such as {\"task\": 1.5}")
        })?;
        for (entity_type, weight) in object {
            known("source_weights", entity_type, all)?;
            if !weight.as_f64().is_some_and(|w| w > 0.0 && w.is_finite()) {
                return Err(refused(format!(
                    "the weight of \"{entity_type}\" must be a number above 0, not {weight}"
                ))
                .hint("to leave a source out, name the others in entity_types"));
            }
            if !weight.as_f64().is_some_and(|w| WEIGHTS.contains(&w)) {
                return Err(refused(format!(
                    "the weight of \"{entity_type}\" must be between {:e} and {:e}, not {weight}",
                    WEIGHTS.start(),
                    WEIGHTS.end()
                )));
            }
        }
        let weight = |s: &&Source| object.get(&s.entity_type).and_then(Value::as_f64).unwrap_or(1.0);
        Ok(Some(chosen.iter().map(weight).collect()))
    }

    /// What is looked for by its words; none where no text is given, or a blank one.
    pub(super) fn text(&self, chosen: &[&Source]) -> Result<Option<Text>, Error> {
        let Some(text) = self.options.text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        if chosen.iter().all(|source| source.words.is_none()) {
            let names: Vec<&str> = chosen.iter().map(|s| s.entity_type.as_str()).collect();
            return Err(Error::new(Kind::NotFound, "no source can be searched by its words")
                .with_sqlstate("55000")
                .detail(format!("sources without a text_search_config: {}", names.join(", ")))
                .hint("call strata.set_text_search, or leave query_text out"));
        }
        for source in chosen {
            has_config(source)?;
        }
        let weight = self.options.text_weight.unwrap_or(TEXT_WEIGHT);
        Ok(Some(Text { weight, operators: has_operators(text) }))
    }

    /// Refuses an embedding of another model, or of another dimension, than the source's.
    pub(super) fn fits(&self, source: &Source) -> Result<(), Error> {
        let Near::Embedding(Some(embedding)) = self.near else { return Ok(()) };
        let has = embedding.len();
        if let Some(model) = self.options.model.filter(|model| *model != source.model) {
            return Err(Error::new(
                Kind::BadData,
                format!("expected an embedding of model \"{}\", not of \"{model}\"", source.model),
            )
            .detail(format!("source \"{}\" is searched under model \"{}\"", source.entity_type, source.model))
            .hint("strata.search_model() names the model of the sources: embed the query with it"));
        }
        if has == source.dimensions {
            return Ok(());
        }
        Err(Error::new(Kind::WrongDimension, format!("expected {} dimensions, not {has}", source.dimensions))
            .detail(format!("source \"{}\" uses model \"{}\"", source.entity_type, source.model))
            .hint("embed the query with the model of the sources"))
    }

    fn minimum_name(&self) -> &'static str {
        match self.near {
            Near::Embedding(_) => "minimum_similarity",
            Near::Row(..) => "similarity_threshold",
        }
    }
}

/// Refuses a source whose text search configuration is gone.
pub(super) fn has_config(source: &Source) -> Result<(), Error> {
    match &source.words {
        Some(Words { name, config: None, .. }) => Err(Error::new(
            Kind::NotFound,
            format!("source \"{}\": text search configuration {name} does not exist", source.entity_type),
        )
        .hint("call strata.set_text_search with one that does")),
        _ => Ok(()),
    }
}

/// What is looked for by its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Text {
    /// From 0 to 1.
    pub weight: f64,
    /// Whether the text speaks websearch_to_tsquery's language: then all of it must hold, else any word is enough.
    pub operators: bool,
}

/// Whether somebody quoted a phrase, or put a minus before a word or a phrase. `or` is none: any word is enough anyway.
pub(super) fn has_operators(text: &str) -> bool {
    let minus = |word: &str| {
        word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '"'))
    };
    text.len() <= MAX_OPERATORS && (text.matches('"').count() > 1 || text.split_whitespace().any(minus))
}

/// An embedding of the same direction that pgvector can measure angles to; none where it is one itself, as every model's is.
pub fn measurable(embedding: &[f32]) -> Option<Vec<f32>> {
    let largest = largest(embedding);
    if COMPONENTS.contains(&largest) || largest == 0.0 || !largest.is_finite() {
        return None;
    }
    Some(embedding.iter().map(|x| x / largest).collect())
}

/// The largest component whatever its sign; not finite where one is not. All of them, without a look at each: the processor
/// takes several at once. Without their signs, floats are in the order of their bits.
fn largest(embedding: &[f32]) -> f32 {
    f32::from_bits(embedding.iter().fold(0, |so_far, x| so_far.max(x.abs().to_bits())))
}

/// A vector that no angle can be measured to.
pub(super) fn no_direction(what: &str) -> Error {
    Error::new(Kind::BadData, format!("{what} has no direction"))
        .hint("a vector must be finite and not all zero")
}

/// The source of this entity type.
pub(super) fn known<'s>(
    argument: &str,
    entity_type: &str,
    sources: &'s [Source],
) -> Result<&'s Source, Error> {
    sources.iter().find(|s| s.entity_type == entity_type).ok_or_else(|| {
        let names: Vec<&str> = sources.iter().map(|s| s.entity_type.as_str()).collect();
        Error::new(Kind::NotFound, format!("{argument}: entity type \"{entity_type}\" is not a source"))
            .hint(format!("sources: {}", names.join(", ")))
    })
}

fn between(name: &str, least: f64, value: Option<f64>) -> Result<(), Error> {
    match value {
        Some(value) if !(least..=1.0).contains(&value) => {
            Err(refused(format!("{name} must be between {least} and 1, not {value}")))
        }
        _ => Ok(()),
    }
}

/// What a tenant or a caller is called.
pub trait Name: PartialEq {
    /// As Postgres shows it.
    fn shown(&self) -> String;

    /// The id that it is; none where it is none.
    fn id(&self) -> Option<Id>;
}

impl Name for Id {
    fn shown(&self) -> String {
        Uuid(*self).to_string()
    }

    fn id(&self) -> Option<Id> {
        Some(*self)
    }
}

impl Name for String {
    fn shown(&self) -> String {
        format!("\"{self}\"")
    }

    fn id(&self) -> Option<Id> {
        id(self)
    }
}

/// Whose rows are searched. Under row level security that is the caller, named or not; who is above it names the tenant.
pub fn tenant<N: Name>(filter: Option<N>, row_security: bool, caller: Option<N>) -> Result<N, Error> {
    match (filter, caller) {
        (Some(filter), _) if !row_security => Ok(filter),
        (None, _) if !row_security => Err(null("user_id_filter must not be null")
            .hint("no row level security is at work for this role: name the tenant")),
        (Some(filter), Some(caller)) if filter == caller => Ok(caller),
        (None, Some(caller)) => Ok(caller),
        (None, None) => Err(null("user_id_filter is null and the caller is not known")
            .hint("sign in, so that auth.uid() or request.jwt.claims names the caller")),
        (Some(filter), _) => {
            Err(Error::new(Kind::Forbidden, format!("user_id_filter {} is not the caller", filter.shown()))
                .hint("pass null or your own id"))
        }
    }
}

/// A name that no value of the column has.
pub(super) fn misnamed(argument: &str, name: &str, source: &Source, of: KeyType) -> Error {
    Error::new(Kind::BadData, format!("{argument} \"{name}\" is no {}", of.shown()))
        .with_sqlstate("22P02")
        .hint(format!("those of source \"{}\" are", source.entity_type))
}

fn unorganised(source: &Source) -> Error {
    Error::new(Kind::NotFound, format!("source \"{}\" has no organisations", source.entity_type))
        .with_sqlstate("55000")
        .hint("leave organisation_filter out, or register the source with an organisation_column")
}

fn null(message: &str) -> Error {
    Error::new(Kind::BadArgument, message).with_sqlstate("22004")
}

fn refused(message: String) -> Error {
    Error::new(Kind::BadArgument, message)
}

/// The id that Postgres reads from a text.
pub(super) fn id(text: &str) -> Option<Id> {
    let digits: String = text.trim().chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
    let is_id = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(u128::to_be_bytes)
}

/// Shows an id as Postgres does.
pub(super) struct Uuid(pub(super) Id);

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            let dash = if matches!(n, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}
