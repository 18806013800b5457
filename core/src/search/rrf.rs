//! Reciprocal rank fusion: the numbers that both the statement and what is made of its scores need.

/// How fast a place loses worth, after the paper. On Cranfield 10, 20, 60 and 100 lie within 0.006 nDCG@10.
pub(super) const RRF: u32 = 60;

/// What a score of a hybrid search is times this lies between 0 and 1.
pub(super) const TO_RELEVANCE: u32 = RRF + 1;
