//! Tokens to vectors: passes through the network, mean of the tokens, length one.
//!
//! Each pass stays on one thread and the passes share the cores. Threads within a pass would wait for each other at
//! every layer, spinning, and on a machine that does other work too that is most of the time.

use super::files::Files;
use super::tokens::{Reader, Tokens};
use crate::provider::{Cut, ProviderError};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Tokens of one pass, padding included. Of 256, 512, 1024 and 2048 this gave most passages a second. Calibrated on the
/// machine of docs/decisions/0003-local-embeddings.md, not derived.
const PASS: usize = 512;

/// The model in memory.
pub struct Engine {
    reader: Reader,
    network: BertModel,
}

/// Vectors in the order of their texts.
pub struct Embedded {
    /// One a text, of length one.
    pub vectors: Vec<Vec<f32>>,
    /// What was dropped from the texts.
    pub cut: Cut,
}

impl Engine {
    /// Builds the model from its files. Misconfigured when they do not fit together.
    pub fn load(files: Files) -> Result<Self, ProviderError> {
        gemm_common::gemm::set_threading_threshold(usize::MAX);
        let reader = Reader::new(&files.tokenizer).map_err(broken)?;
        let config: Config = serde_json::from_slice(&files.config).map_err(broken)?;
        let weights = VarBuilder::from_buffered_safetensors(files.weights, DType::F32, &Device::Cpu);
        let network = weights.and_then(|weights| BertModel::load(weights, &config)).map_err(broken)?;
        Ok(Engine { reader, network })
    }

    /// How many tokens a text has.
    pub fn count(&self, text: &str) -> usize {
        self.reader.count(text)
    }

    /// One vector for each text. Rejects a text without tokens; gives up between two passes when told to stop.
    pub fn embed(&self, texts: &[String], stop: &AtomicBool) -> Result<Embedded, ProviderError> {
        let read = |(row, text): (usize, &String)| {
            self.reader.read(text).map_err(|reason| ProviderError::rejected(row, reason))
        };
        let tokens = texts.iter().enumerate().map(read).collect::<Result<Vec<Tokens>, _>>()?;
        let run = |rows: Vec<usize>| -> Result<_, ProviderError> {
            if stop.load(Relaxed) {
                return Err(ProviderError::unavailable("the caller gave up".into(), None));
            }
            let ids: Vec<&[u32]> = rows.iter().map(|&row| tokens[row].ids.as_slice()).collect();
            Ok(rows.into_iter().zip(self.pass(&ids).map_err(broken)?).collect::<Vec<_>>())
        };
        let mut made = passes(&tokens).into_par_iter().map(run).collect::<Result<Vec<_>, _>>()?.concat();
        made.sort_unstable_by_key(|(row, _)| *row);
        Ok(Embedded { vectors: made.into_iter().map(|(_, vector)| vector).collect(), cut: cut(&tokens) })
    }

    /// One pass through the network. The longest text comes first; the others are padded to it and masked.
    fn pass(&self, texts: &[&[u32]]) -> candle_core::Result<Vec<Vec<f32>>> {
        let shape = (texts.len(), texts[0].len());
        let padded = |of: fn(&u32) -> u32| -> candle_core::Result<Tensor> {
            let row = |text: &&[u32]| text.iter().map(of).chain(std::iter::repeat(0)).take(shape.1).collect();
            let all: Vec<u32> = texts.iter().flat_map(|text| -> Vec<u32> { row(text) }).collect();
            Tensor::from_vec(all, shape, &Device::Cpu)
        };
        let (ids, mask) = (padded(|id| *id)?, padded(|_| 1)?);
        let hidden = self.network.forward(&ids, &ids.zeros_like()?, Some(&mask))?.to_vec3::<f32>()?;
        Ok(texts.iter().zip(hidden).map(|(text, states)| mean(&states[..text.len()])).collect())
    }
}

/// Rows by falling length, in runs that hold at most [`PASS`] tokens when padded to their longest.
fn passes(tokens: &[Tokens]) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..tokens.len()).collect();
    rows.sort_by_key(|&row| Reverse(tokens[row].ids.len()));
    let mut passes = Vec::new();
    while let Some(&longest) = rows.first() {
        let fit = (PASS / tokens[longest].ids.len()).clamp(1, rows.len());
        passes.push(rows.drain(..fit).collect());
    }
    passes
}

/// The mean of the states, scaled to length one. In double precision: the length is then right to the last bit of `f32`.
fn mean(states: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0_f64; states[0].len()];
    for state in states {
        sum.iter_mut().zip(state).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    sum.into_iter().map(|x| (x / length) as f32).collect()
}

fn cut(tokens: &[Tokens]) -> Cut {
    let long = tokens.iter().filter(|tokens| tokens.cut > 0);
    long.fold(Cut::default(), |cut, text| Cut { texts: cut.texts + 1, tokens: cut.tokens + text.cut as u64 })
}

/// The files are the pinned ones, so this is a fault of ours; nothing that the caller does will mend it.
fn broken(cause: impl std::fmt::Display) -> ProviderError {
    ProviderError::misconfigured(format!("model {} cannot be run: {cause}", super::MODEL))
}
