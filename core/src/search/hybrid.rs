//! Search by words beside search by embedding, and how the two become one answer.
//!
//! The words of a question are those of each source's text search configuration; any of them is enough, unless the text
//! has operators. A row's score is the sum over the words of `ts_rank` (title counts twice, long texts count less) times
//! ln(1 + m / d): m of the tenant's rows have some word, d this one. The statistic is made of the tenant's rows alone, so
//! that no answer tells of others. The two orders are joined by reciprocal rank fusion (Cormack, Clarke and Buettcher,
//! 2009). A row that the words miss keeps its place by its embedding: the answer is never shorter than without a text.
//! Written for any search_path, as everything here is.

use super::request::{Text, has_config, has_operators};
use super::rrf::RRF;
use super::shape::{self, Ids};
use super::statement::{Parameters, Parts, Search, visible};
use super::{Argument, Source, Words, candidates};
use crate::error::Error;
use crate::ident::{Ident, literal};

/// Most words of a question that are looked for: those that it says most often, then first. Unit: words.
const MAX_WORDS: u32 = 64;

/// Longest part of a column whose words are found. Unit: characters. A tsvector takes a megabyte at most.
const MAX_CHARACTERS: u32 = 100_000;

impl Search<'_> {
    /// The best rows by embedding and by words, joined: `best`.
    pub(super) fn hybrid(
        &self,
        text: &Text,
        parts: &Parts,
        parameters: &mut Parameters,
    ) -> Result<String, Error> {
        let leg = parameters.place(Argument::Rows(candidates(self.rows)));
        let question = parameters.place(Argument::Text);
        let weight = parameters.place(Argument::TextWeight(text.weight));
        let nearest = self.nearest("nearest", &leg, parts)?;
        let asked = asked(self.sources, &question, text.operators);
        let matched = self.matched(parts)?;
        let said = said(&leg, parts.weights.as_deref());
        let fused = fused(&weight, &parts.rows);
        Ok(format!("{nearest},\n{asked},\nmatched as materialized (\n{matched}\n),\n{said},\n{fused}"))
    }

    /// The tenant's rows that the question's words find: source, config, id, rank, words.
    fn matched(&self, parts: &Parts) -> Result<String, Error> {
        let configs = configs(self.sources);
        let mut branches = Vec::new();
        for (n, source) in self.sources.iter().enumerate() {
            let Some(words) = &source.words else { continue };
            let config = config_of(&configs, words);
            branches.push(self.matched_in(n, source, config, parts)?);
        }
        Ok(branches.join("\n    union all\n"))
    }

    fn matched_in(&self, n: usize, source: &Source, config: usize, parts: &Parts) -> Result<String, Error> {
        let (key, whose) = (self.ids.key(source)?, self.ids.of_tenant(source, &parts.tenant)?);
        let (rows, words) = (shape::rows(source, "left join")?, words(source)?);
        let distance = match &source.store {
            None => format!("({} {})", shape::own_vector(source)?, parts.distance),
            Some(store) => shape::distance_in_store(source, store, &parts.from_store)?,
        };
        let also = &parts.also[n];
        let found = format!(
            "select {n} as source, {config} as config, {key} as id,
            {distance} operator(pg_catalog.-) 1::pg_catalog.float8 as rank, {words} as words
     from {rows}
     where {whose} and ({words}) operator(pg_catalog.@@)
               (select a.query from asked a where a.config operator(pg_catalog.=) {config}){also}"
        );
        Ok(match &parts.minimum {
            None => format!("    ({found})"),
            Some(minimum) => format!("    (select r.* from ({found}) r where {minimum})"),
        })
    }
}

/// The words of the question for each configuration, `word`: config, word tsquery; and all of them, `asked`: config, query
/// tsquery, null where nothing is left of the text.
fn asked(sources: &[&Source], question: &str, operators: bool) -> String {
    let configs: Vec<String> = configs(sources)
        .iter()
        .enumerate()
        .map(|(n, config)| format!("({n}, {}::pg_catalog.regconfig)", literal(config)))
        .collect();
    let configs = configs.join(", ");
    let query = match operators {
        true => format!("pg_catalog.websearch_to_tsquery(c.config, {question})"),
        false => "(select pg_catalog.string_agg(w.word::pg_catalog.text, ' | ')::pg_catalog.tsquery
             from word w where w.config operator(pg_catalog.=) c.n)"
            .to_owned(),
    };
    // 39 is the quote, 92 the backslash: a literal of the latter depends on standard_conforming_strings.
    format!(
        "word as materialized (
    select c.n as config, pg_catalog.concat(pg_catalog.chr(39), pg_catalog.replace(pg_catalog.replace(
               u.lexeme, pg_catalog.chr(92), pg_catalog.repeat(pg_catalog.chr(92), 2)),
               pg_catalog.chr(39), pg_catalog.repeat(pg_catalog.chr(39), 2)), pg_catalog.chr(39))::pg_catalog.tsquery as word
    from (values {configs}) c(n, config) cross join lateral (
        select v.lexeme from pg_catalog.unnest(pg_catalog.to_tsvector(c.config, {question})) v(lexeme, positions, weights)
        order by pg_catalog.cardinality(v.positions) desc, v.positions[1], v.lexeme limit {MAX_WORDS}
    ) u
),
asked as materialized (
    select c.n as config, {query} as query from (values {configs}) c(n, config)
)"
    )
}

/// How rare each word is among the tenant's rows, `rare`, and the best rows by words, `said`: source, id, rank, score.
fn said(leg: &str, weights: Option<&str>) -> String {
    let weight = weights.map_or_else(String::new, |place| {
        format!("({place})[m.source operator(pg_catalog.+) 1] operator(pg_catalog.*) ")
    });
    format!(
        "rare as materialized (
    select w.config, w.word, pg_catalog.ln(1::pg_catalog.float8 operator(pg_catalog.+)
               a.rows::pg_catalog.float8 operator(pg_catalog./) d.rows::pg_catalog.float8) as worth
    from word w
    join (select m.config, pg_catalog.count(*) as rows from matched m group by m.config) a
      on a.config operator(pg_catalog.=) w.config
    cross join lateral (
        select pg_catalog.count(*) as rows from matched m
        where m.config operator(pg_catalog.=) w.config and m.words operator(pg_catalog.@@) w.word
    ) d
    where d.rows operator(pg_catalog.>) 0
),
said as materialized (
    select m.source, m.id, m.rank, {weight}pg_catalog.sum(r.worth operator(pg_catalog.*)
               pg_catalog.ts_rank(array[0.1, 0.2, 0.4, 0.2]::pg_catalog.float4[], m.words, r.word, 1)) as score
    from matched m
    join rare r on r.config operator(pg_catalog.=) m.config and m.words operator(pg_catalog.@@) r.word
    group by m.source, m.id, m.rank
    order by 4 desc, m.source, m.id
    limit {leg}
)"
    )
}

/// `best`: source, id, rank, score. Ascending, as everywhere: the score is minus the sum of what the places are worth.
fn fused(weight: &str, rows: &str) -> String {
    let worth = |share: &str, alias: &str| {
        format!(
            "coalesce(({share}) operator(pg_catalog./) ({RRF} operator(pg_catalog.+) {alias}.n)::pg_catalog.float8, 0::pg_catalog.float8)"
        )
    };
    let near = worth(&format!("1::pg_catalog.float8 operator(pg_catalog.-) {weight}"), "v");
    let worded = worth(weight, "t");
    format!(
        "best as materialized (
    select coalesce(v.source, t.source) as source, coalesce(v.id, t.id) as id, coalesce(v.rank, t.rank) as rank,
           0::pg_catalog.float8 operator(pg_catalog.-) ({near} operator(pg_catalog.+) {worded}) as score
    from (select x.*, pg_catalog.row_number() over (order by x.score, x.source, x.id) as n from nearest x) v
    full join (select x.*, pg_catalog.row_number() over (order by x.score desc, x.source, x.id) as n from said x) t
      on t.source operator(pg_catalog.=) v.source and t.id operator(pg_catalog.=) v.id
    order by 4, 3, 1, 2
    limit {rows}
)"
    )
}

/// How many rows of a tenant have the words of a text. $1 tenant, $2 text. Column: int8.
pub(super) fn worded(source: &Source, ids: Ids, text: &str) -> Result<Option<String>, Error> {
    has_config(source)?;
    if source.words.is_none() {
        return Ok(None);
    }
    Ok(Some(format!(
        "with {} select pg_catalog.count(*) from {} t where {}
             and ({}) operator(pg_catalog.@@) (select a.query from asked a){}",
        asked(&[source], "$2", has_operators(text)),
        shape::relation(source)?,
        ids.of_tenant(source, "$1")?,
        words(source)?,
        visible(source)?
    )))
}

/// The configurations of some sources, each once.
fn configs<'s>(sources: &[&'s Source]) -> Vec<&'s str> {
    let mut configs: Vec<&str> = Vec::new();
    for words in sources.iter().filter_map(|source| source.words.as_ref()) {
        let config = words.config.as_deref().unwrap_or(&words.name);
        if !configs.contains(&config) {
            configs.push(config);
        }
    }
    configs
}

fn config_of(configs: &[&str], words: &Words) -> usize {
    let own = words.config.as_deref().unwrap_or(&words.name);
    configs.iter().position(|config| *config == own).unwrap_or(0)
}

/// The words of a row, as strata.words_expression writes them: an index serves the same expression alone.
fn words(source: &Source) -> Result<String, Error> {
    let Some(words) = &source.words else { return Ok("null::pg_catalog.tsvector".to_owned()) };
    if let Some(column) = &words.column {
        return Ok(format!("t.{}", Ident::new(column)?));
    }
    let config = format!("{}::pg_catalog.regconfig", literal(words.config.as_deref().unwrap_or(&words.name)));
    let text = |column: &String| {
        Ok(format!(
            "pg_catalog.left(coalesce(t.{}::pg_catalog.text, ''), {MAX_CHARACTERS})",
            Ident::new(column)?
        ))
    };
    let title = source.title.iter().map(text).map(|text: Result<String, Error>| {
        Ok(format!("pg_catalog.setweight(pg_catalog.to_tsvector({config}, {}), 'A')", text?))
    });
    let content = source
        .content
        .iter()
        .map(text)
        .map(|text: Result<String, Error>| Ok(format!("pg_catalog.to_tsvector({config}, {})", text?)));
    let parts: Result<Vec<String>, Error> = title.chain(content).collect();
    Ok(parts?.join(" operator(pg_catalog.||) "))
}
