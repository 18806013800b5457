//! The nearest of the vectors that are shown one after the other: as many as fit, in the order of an answer.

use super::Id;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

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

impl Eq for Place {}

impl Ord for Place {
    /// As the statements order: what is no number comes last; ties by source and key.
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = self.rank.partial_cmp(&other.rank);
        let rank = rank.unwrap_or_else(|| self.rank.is_nan().cmp(&other.rank.is_nan()));
        rank.then(self.source.cmp(&other.source)).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the nearest.
#[derive(Clone, Debug)]
pub struct Nearest {
    kept: BinaryHeap<Place>,
    room: usize,
    /// What is further away is not kept: the furthest that is, or the least similarity that is asked for.
    bound: f64,
    is_all: bool,
}

impl Nearest {
    /// Of those that are at least as similar as `minimum`, so many.
    pub fn new(room: usize, minimum: Option<f64>) -> Self {
        let bound = minimum.map_or(f64::INFINITY, |minimum| -minimum);
        Nearest { kept: BinaryHeap::with_capacity(room + 1), room, bound, is_all: true }
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
        self.kept.push(place);
        if self.kept.len() > self.room {
            self.kept.pop();
            self.is_all = false;
        }
        if let Some(furthest) = self.kept.peek().filter(|_| self.kept.len() == self.room) {
            self.bound = furthest.rank;
        }
    }

    /// Whether every vector that was similar enough is kept; false also where that was not looked at.
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// They, nearest first.
    pub fn sorted(self) -> Vec<Place> {
        self.kept.into_sorted_vec()
    }
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
}
