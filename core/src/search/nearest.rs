//! The nearest of the vectors that are shown one after the other: as many as fit, in the order of an answer, each row once.

use super::{Id, Ranked};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

/// A row by its vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Its distance to the question, less 1: minus its similarity. No number where the vector has no direction.
    pub rank: f64,
    /// The number of its source.
    pub source: usize,
    /// Its key.
    pub id: Id,
}

/// A row and what it is ordered by: its rank, or where sources weigh differently, its rank less 1 times the weight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scored {
    score: f64,
    place: Place,
}

impl Eq for Scored {}

impl Ord for Scored {
    /// As the statements order: what is no number comes last; ties by source and key.
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.score.partial_cmp(&other.score);
        let score = score.unwrap_or_else(|| self.score.is_nan().cmp(&other.score.is_nan()));
        let (own, others) = (&self.place, &other.place);
        score.then(own.source.cmp(&others.source)).then_with(|| own.id.cmp(&others.id))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the nearest.
#[derive(Clone, Debug)]
pub struct Nearest {
    kept: BinaryHeap<Scored>,
    room: usize,
    /// What is further away is not kept: the furthest that can be, or the least similarity that is asked for.
    bound: f64,
    is_all: bool,
    /// Of each source, and the most of them; none where all weigh the same.
    weights: Option<(Vec<f64>, f64)>,
    /// Whether a row may come several times.
    chunked: bool,
}

/// What a sum of doubles may be off by: who is so near to the bound is wanted, and found out when it is kept.
const ROUNDING: f64 = 1e-12;

impl Nearest {
    /// As many as the search asks for, of those that are similar enough.
    pub fn of(ranked: &Ranked) -> Self {
        let weights = ranked.weights.clone().map(heaviest);
        let nearest = Nearest::new(ranked.candidates, ranked.minimum);
        Nearest { weights, chunked: ranked.chunked, ..nearest }
    }

    /// Of those that are at least as similar as `minimum`, so many.
    fn new(room: usize, minimum: Option<f64>) -> Self {
        let bound = minimum.map_or(f64::INFINITY, |minimum| -minimum);
        Nearest {
            kept: BinaryHeap::with_capacity(room + 1),
            room,
            bound,
            is_all: true,
            weights: None,
            chunked: false,
        }
    }

    /// Whether a vector of this rank can be among them. Most cannot, and nothing more has to be known of those.
    pub fn wants(&mut self, rank: f64) -> bool {
        // The bound is no number where the furthest that is kept has no direction: everything else is nearer.
        let near = rank <= self.bound || self.bound.is_nan() || (rank.is_nan() && self.bound.is_infinite());
        self.is_all &= near || self.kept.len() < self.room;
        near
    }

    /// A vector that is wanted.
    pub fn keep(&mut self, place: Place) {
        let score = match &self.weights {
            None => place.rank,
            Some((weights, _)) => weights[place.source] * (place.rank - 1.0),
        };
        self.kept.push(Scored { score, place });
        if self.kept.len() > self.room {
            self.kept.pop();
            self.is_all = false;
        }
        if let Some(furthest) = self.kept.peek().filter(|_| self.kept.len() == self.room) {
            let rank = match &self.weights {
                None => furthest.score,
                // That of the heaviest source which comes to the same.
                Some((_, most)) => furthest.score / most + 1.0 + ROUNDING,
            };
            // The least similarity stays one.
            self.bound = if rank > self.bound { self.bound } else { rank };
        }
    }

    /// Whether every vector that was similar enough is kept; false also where that was not looked at.
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether as many are kept as there is room for.
    pub fn is_full(&self) -> bool {
        self.kept.len() == self.room
    }

    /// They, nearest first; of a row with several vectors the nearest.
    pub fn sorted(self) -> Vec<Place> {
        let mut seen = HashSet::new();
        let sorted = self.kept.into_sorted_vec().into_iter().map(|scored| scored.place);
        sorted.filter(|place| !self.chunked || seen.insert((place.source, place.id))).collect()
    }
}

fn heaviest(weights: Vec<f64>) -> (Vec<f64>, f64) {
    let most = weights.iter().copied().fold(0.0, f64::max);
    (weights, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(rank: f64, source: usize, id: u8) -> Place {
        Place { rank, source, id: [id; 16] }
    }

    fn of(room: usize, minimum: Option<f64>, places: &[Place]) -> (Vec<u8>, bool) {
        let mut nearest = Nearest::new(room, minimum);
        for place in places {
            if nearest.wants(place.rank) {
                nearest.keep(*place);
            }
        }
        let is_all = nearest.is_all();
        (nearest.sorted().iter().map(|place| place.id[0]).collect(), is_all)
    }

    #[test]
    fn keeps_the_nearest_in_their_order_and_tells_whether_it_left_one_out() {
        let places = [place(0.5, 0, 1), place(-1.0, 0, 2), place(-0.5, 0, 3), place(0.0, 0, 4)];
        assert_eq!(of(2, None, &places), (vec![2, 3], false));
        assert_eq!(of(4, None, &places), (vec![2, 3, 4, 1], true));
        assert_eq!(of(9, None, &places), (vec![2, 3, 4, 1], true));
    }

    #[test]
    fn of_equally_near_ones_the_first_source_and_the_smallest_key_come_first() {
        let places = [place(0.0, 1, 1), place(0.0, 0, 9), place(0.0, 1, 0), place(0.0, 0, 8)];
        assert_eq!(of(4, None, &places), (vec![8, 9, 0, 1], true));
        assert_eq!(of(3, None, &places), (vec![8, 9, 0], false));
        let reversed: Vec<Place> = places.into_iter().rev().collect();
        assert_eq!(of(3, None, &reversed), (vec![8, 9, 0], false));
    }

    #[test]
    fn what_has_no_direction_comes_last_and_gives_way() {
        let none = f64::NAN;
        let places = [place(none, 0, 2), place(none, 0, 1), place(1.0, 0, 3), place(-1.0, 0, 4)];
        assert_eq!(of(4, None, &places), (vec![4, 3, 1, 2], true));
        assert_eq!(of(3, None, &places), (vec![4, 3, 1], false));
        assert_eq!(of(2, None, &places), (vec![4, 3], false));
        assert_eq!(of(1, None, &[place(none, 0, 2), place(none, 0, 1)]), (vec![1], false));
    }

    #[test]
    fn what_is_not_similar_enough_is_not_missed() {
        let places = [place(-0.9, 0, 1), place(-0.5, 0, 2), place(-0.4, 0, 3), place(f64::NAN, 0, 4)];
        assert_eq!(of(3, Some(0.5), &places), (vec![1, 2], true));
        assert_eq!(of(1, Some(0.5), &places).0, vec![1]);
        assert_eq!(of(3, Some(1.0), &places), (vec![], true));
    }

    #[test]
    fn a_source_that_weighs_more_comes_nearer() {
        let places =
            [place(-0.9, 0, 1), place(-0.5, 1, 2), place(-0.8, 0, 3), place(0.5, 1, 4), place(-0.1, 0, 5)];
        let weighed = |room: usize, minimum: Option<f64>| {
            let mut nearest =
                Nearest { weights: Some(heaviest(vec![1.0, 2.0])), ..Nearest::new(room, minimum) };
            for place in places.iter().chain(places.iter().rev()) {
                if nearest.wants(place.rank) {
                    nearest.keep(*place);
                }
            }
            let sorted = nearest.sorted();
            sorted.iter().map(|place| place.id[0]).step_by(2).collect::<Vec<_>>()
        };
        // Each comes twice: -1.9, -3, -1.8, -1, -1.1.
        assert_eq!(weighed(10, None), [2, 1, 3, 5, 4]);
        assert_eq!(weighed(6, None), [2, 1, 3]);
        assert_eq!(weighed(10, Some(0.6)), [1, 3]);
    }

    #[test]
    fn a_row_with_several_vectors_is_there_once_by_the_nearest_of_them() {
        let mut nearest = Nearest { chunked: true, ..Nearest::new(4, None) };
        for place in
            [place(-0.1, 0, 1), place(-0.9, 0, 2), place(-0.8, 0, 2), place(-0.5, 0, 1), place(0.7, 0, 3)]
        {
            if nearest.wants(place.rank) {
                nearest.keep(place);
            }
        }
        assert!(!nearest.is_all(), "one was left out");
        let sorted = nearest.sorted();
        assert_eq!(
            sorted.iter().map(|place| (place.id[0], place.rank)).collect::<Vec<_>>(),
            [(2, -0.9), (1, -0.5)]
        );
    }
}
