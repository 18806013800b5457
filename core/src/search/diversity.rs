//! Maximal marginal relevance (Carbonell and Goldstein, 1998): each next row is near to the question and unlike those that
//! stand above it already.

/// A row that may be picked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate<I> {
    /// The number of its source.
    pub source: i32,
    /// Its key.
    pub id: I,
    /// Minus its similarity to the question; none where it has no embedding.
    pub rank: Option<f64>,
    /// How well it answers, from 0 to 1, times the weight of its source.
    pub relevance: f64,
    /// Its embedding.
    pub vector: Vec<f32>,
}

/// Picks one candidate after the other. A value that is turned by hand, so that the door can be interrupted in between.
#[derive(Clone, Debug)]
pub struct Picker<I> {
    left: Vec<Left<I>>,
    diversity: f64,
    wanted: usize,
}

#[derive(Clone, Debug)]
struct Left<I> {
    candidate: Candidate<I>,
    /// To the most similar of those that are picked, from 0 to 1.
    likeness: f64,
}

impl<I> Picker<I> {
    /// Of these candidates, best first, so many. `diversity`: 0 to 1.
    pub fn new(candidates: Vec<Candidate<I>>, diversity: f64, wanted: i64) -> Self {
        let left = candidates.into_iter().map(|mut candidate| {
            normalize(&mut candidate.vector);
            // A stored zero vector is near to nothing.
            if candidate.relevance.is_nan() {
                candidate.relevance = -1.0;
            }
            Left { candidate, likeness: 0.0 }
        });
        Picker { left: left.collect(), diversity, wanted: usize::try_from(wanted).unwrap_or(0) }
    }

    /// The next; none where there are enough, or no more. Of equal ones the one that came first.
    pub fn pick(&mut self) -> Option<Candidate<I>> {
        self.wanted = self.wanted.checked_sub(1)?;
        let score = |left: &Left<I>| {
            (1.0 - self.diversity) * left.candidate.relevance - self.diversity * left.likeness
        };
        let mut best = 0;
        for (n, left) in self.left.iter().enumerate().skip(1) {
            if score(left) > score(&self.left[best]) {
                best = n;
            }
        }
        let picked = (!self.left.is_empty()).then(|| self.left.remove(best).candidate)?;
        for left in &mut self.left {
            let cosine = dot(&left.candidate.vector, &picked.vector);
            left.likeness = left.likeness.max((1.0 + cosine) / 2.0);
        }
        Some(picked)
    }
}

fn normalize(vector: &mut [f32]) {
    let norm = dot(vector, vector).sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    f64::from(a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>())
}
