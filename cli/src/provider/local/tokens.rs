//! Text to tokens, as the model was trained: WordPiece, uncased, at most 256.

use tokenizers::Tokenizer;

/// Tokens of a text that the model reads, the first and the last mark included: `max_seq_length` of the model's own
/// `sentence_bert_config.json`. Its `tokenizer.json` says 128, and pads everything to that: both are overruled here.
pub const MAX: usize = 256;

/// Bytes of a text that are looked at, so that a huge document costs no more than a large one.
const BYTES: usize = 1 << 20;

/// Marks before and after every text.
pub const MARKS: usize = 2;

/// A text as the model reads it.
pub struct Tokens {
    /// Indexes into the vocabulary, at most [`MAX`].
    pub ids: Vec<u32>,
    /// Tokens that were dropped.
    pub cut: usize,
}

/// Splits texts into tokens.
pub struct Reader(Tokenizer);

impl Reader {
    /// From the bytes of `tokenizer.json`.
    pub fn new(json: &[u8]) -> tokenizers::Result<Self> {
        let mut tokenizer = Tokenizer::from_bytes(json)?;
        tokenizer.with_truncation(None)?;
        tokenizer.with_padding(None);
        Ok(Reader(tokenizer))
    }

    /// How many tokens a text has, without marks. One that cannot be read has none, and is refused when it is embedded.
    pub fn count(&self, text: &str) -> usize {
        self.0.encode_fast(text, false).map_or(0, |encoding| encoding.get_ids().len())
    }

    /// The tokens of a text, or the reason why it has none.
    pub fn read(&self, text: &str) -> Result<Tokens, String> {
        let start = &text[..text.floor_char_boundary(BYTES)];
        let encoding = self.0.encode_fast(start, true).map_err(|cause| cause.to_string())?;
        let mut ids = encoding.get_ids().to_vec();
        if ids.len() <= MARKS {
            return Err(format!("a text of {} bytes holds nothing to embed", text.len()));
        }
        let cut = ids.len().saturating_sub(MAX);
        // The last mark stays the last token.
        ids.drain(ids.len() - 1 - cut..ids.len() - 1);
        Ok(Tokens { ids, cut })
    }
}
