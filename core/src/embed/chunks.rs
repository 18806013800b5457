//! A long text in parts that a model reads whole: cut by blank lines where that is enough, then by lines, by sentences, by
//! words, and inside a word only where it alone is too long. A library that does this exists and is not used: it brings some
//! thirty crates with it, one of which asks the operating system for random numbers.

use std::ops::Range;

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    /// Tokens of a part at most, at least 1.
    pub tokens: usize,
    /// Tokens of a part that the next one begins with, at most; less than `tokens`.
    pub overlap: usize,
}

/// Where a text may be cut, the best first.
const LEVELS: [Level; 4] = [Level::Paragraph, Level::Line, Level::Sentence, Level::Word];

#[derive(Clone, Copy)]
enum Level {
    Paragraph,
    Line,
    Sentence,
    Word,
}

impl Level {
    /// Whether a part may begin at `here`, behind what is `before`.
    fn cuts(self, before: &str, here: char) -> bool {
        if matches!(self, Level::Sentence | Level::Word) && before.ends_with(['。', '！', '？']) {
            return true;
        }
        if here.is_whitespace() || !before.ends_with(char::is_whitespace) {
            return false;
        }
        let said = before.trim_end();
        let gap = &before[said.len()..];
        match self {
            Level::Paragraph => gap.matches('\n').count() > 1,
            Level::Line => gap.contains('\n'),
            Level::Sentence => said.ends_with(['.', '!', '?', '…']),
            Level::Word => true,
        }
    }
}

/// What is never cut again.
struct Piece {
    range: Range<usize>,
    tokens: usize,
}

/// The parts of a text, in order; ranges of bytes, without the white space around them. One part where the text is short
/// enough. `count` tells how many tokens a text has; the whole of two is taken to have no more than both.
pub fn chunks(text: &str, chunking: Chunking, count: &dyn Fn(&str) -> usize) -> Vec<Range<usize>> {
    let whole = 0..text.len();
    if count(text) <= chunking.tokens {
        return Vec::from([whole]);
    }
    let mut pieces = Vec::new();
    cut(text, whole, &LEVELS, &|text| (count(text), chunking.tokens), &mut pieces);
    let parts = joined(&pieces, chunking).into_iter().map(|part| trimmed(text, part));
    parts.filter(|part| !part.is_empty()).collect()
}

/// Cuts a range into pieces that are short enough, at the best places that do.
fn cut(
    text: &str,
    range: Range<usize>,
    levels: &[Level],
    count: &dyn Fn(&str) -> (usize, usize),
    pieces: &mut Vec<Piece>,
) {
    let (tokens, most) = count(&text[range.clone()]);
    if tokens <= most {
        return pieces.push(Piece { range, tokens });
    }
    let Some((level, finer)) = levels.split_first() else {
        return halve(text, range, count, pieces);
    };
    for part in cut_at(text, range, *level) {
        cut(text, part, finer, count, pieces);
    }
}

/// A range, cut wherever a level allows it.
fn cut_at(text: &str, range: Range<usize>, level: Level) -> Vec<Range<usize>> {
    let part = &text[range.clone()];
    let places = part.char_indices().filter(|(at, here)| *at > 0 && level.cuts(&part[..*at], *here));
    let mut ends: Vec<usize> = places.map(|(at, _)| range.start + at).collect();
    ends.push(range.end);
    let starts = std::iter::once(range.start).chain(ends.iter().copied());
    starts.zip(ends.iter().copied()).map(|(start, end)| start..end).collect()
}

/// A word that is too long, such as an image in base64.
fn halve(text: &str, range: Range<usize>, count: &dyn Fn(&str) -> (usize, usize), pieces: &mut Vec<Piece>) {
    let part = &text[range.clone()];
    let middle = range.start + part.ceil_char_boundary(part.len() / 2);
    if part.chars().nth(1).is_none() || middle == range.end {
        let (tokens, _) = count(part);
        return pieces.push(Piece { range, tokens });
    }
    cut(text, range.start..middle, &[], count, pieces);
    cut(text, middle..range.end, &[], count, pieces);
}

/// Pieces that follow each other, as many together as there is room for.
fn joined(pieces: &[Piece], chunking: Chunking) -> Vec<Range<usize>> {
    let (mut parts, mut first, mut sum) = (Vec::new(), 0, 0);
    for (at, piece) in pieces.iter().enumerate() {
        if sum + piece.tokens > chunking.tokens && at > first {
            parts.push(pieces[first].range.start..pieces[at - 1].range.end);
            let room = chunking.overlap.min(chunking.tokens.saturating_sub(piece.tokens));
            let mut again = at;
            sum = 0;
            while again - 1 > first && sum + pieces[again - 1].tokens <= room {
                again -= 1;
                sum += pieces[again].tokens;
            }
            first = again;
        }
        sum += piece.tokens;
    }
    if let (Some(first), Some(last)) = (pieces.get(first), pieces.last()) {
        parts.push(first.range.start..last.range.end);
    }
    parts
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token a word, and one for every eight bytes of a long one.
    fn count(text: &str) -> usize {
        text.split_whitespace().map(|word| word.len().div_ceil(8)).sum()
    }

    fn parts(text: &str, tokens: usize, overlap: usize) -> Vec<&str> {
        let ranges = chunks(text, Chunking { tokens, overlap }, &count);
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_short_text_is_one_part() {
        assert_eq!(parts("a b\n\nc", 3, 1), ["a b\n\nc"]);
    }

    #[test]
    fn it_is_cut_where_it_is_cut_least() {
        assert_eq!(parts("a b c\n\nd e f", 4, 0), ["a b c", "d e f"]);
        assert_eq!(parts("a b\nc d\n\ne f", 4, 0), ["a b\nc d", "e f"]);
        assert_eq!(parts("a b. c d! e f? g h", 4, 0), ["a b. c d!", "e f? g h"]);
        assert_eq!(parts("a b c d e f g", 3, 0), ["a b c", "d e f", "g"]);
        assert_eq!(parts("a b\r\n\r\nc d", 3, 0), ["a b", "c d"]);
    }

    #[test]
    fn scripts_without_blanks_are_cut_by_sentences() {
        assert_eq!(parts("這是一句。這是二句。", 2, 0), ["這是一句。", "這是二句。"]);
    }

    #[test]
    fn a_word_that_is_too_long_is_cut_between_characters() {
        let word = "é".repeat(40);
        let cut = parts(&word, 3, 0);
        assert!(cut.iter().all(|part| count(part) <= 3), "{cut:?}");
        assert_eq!(cut.concat(), word);
        assert_eq!(parts("ééééééééé", 1, 0).concat(), "ééééééééé", "a character may be all that is left");
    }

    #[test]
    fn the_next_part_begins_with_the_end_of_the_last() {
        assert_eq!(parts("a b c d e f g", 4, 2), ["a b c d", "c d e f", "e f g"]);
        assert_eq!(parts("a b c d", 2, 1), ["a b", "b c", "c d"]);
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_too_long_whatever_the_text() {
        let mut seed = 7_u64;
        let mut next = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        for _ in 0..300 {
            let words = (0..next(120)).map(|_| {
                let word = "wörd.".repeat(next(6) as usize);
                format!("{word}{}", [" ", "\n", "\n\n", ". ", "。"][next(5) as usize])
            });
            let text: String = words.collect();
            let (tokens, overlap) = (4 + next(8) as usize, next(4) as usize);
            let ranges = chunks(&text, Chunking { tokens, overlap }, &count);
            let mut covered = vec![false; text.len()];
            for range in ranges {
                assert!(count(&text[range.clone()]) <= tokens, "{range:?} of {text:?}");
                covered[range].fill(true);
            }
            let lost = text.char_indices().find(|(at, c)| !c.is_whitespace() && !covered[*at]);
            assert_eq!(lost, None, "{text:?}");
        }
    }
}
