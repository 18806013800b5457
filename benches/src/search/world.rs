//! Embeddings that behave like those of texts: topics are clusters in a few latent dimensions, each tenant writes about
//! five of them, and how much each tenant writes follows Zipf.

use super::random::Random;
use uuid::Uuid;

/// Clusters.
const TOPICS: usize = 200;

/// What the embeddings really vary in.
const LATENT: usize = 40;

/// How far the rows of a topic lie from its centre, which is at distance 1 in each latent dimension.
const SCATTER: f32 = 0.6;

/// Tenants.
pub const TENANTS: usize = 1000;

/// Zipf's exponent: with it the largest of a thousand tenants has one row in 24.
const SKEW: f64 = 0.7;

/// Where all embeddings of one number of dimensions come from.
pub struct World {
    centres: Vec<[f32; LATENT]>,
    projection: Vec<[f32; LATENT]>,
}

impl World {
    /// Of so many dimensions.
    pub fn of(dimensions: usize) -> World {
        let mut random = Random::of(dimensions as u64);
        let mut point = || std::array::from_fn(|_| random.normal());
        let centres = (0..TOPICS).map(|_| point()).collect();
        World { centres, projection: (0..dimensions).map(|_| point()).collect() }
    }

    /// An embedding about a topic.
    pub fn about(&self, topic: usize, random: &mut Random) -> Vec<f32> {
        let centre = &self.centres[topic];
        let latent: [f32; LATENT] = std::array::from_fn(|i| centre[i] + SCATTER * random.normal());
        let dot = |row: &[f32; LATENT]| row.iter().zip(&latent).map(|(a, b)| a * b).sum::<f32>();
        self.projection.iter().map(dot).collect()
    }
}

/// The id of a tenant; number 0 has most rows.
pub fn tenant(number: usize) -> Uuid {
    Uuid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + number as u128)
}

/// One of the five topics of a tenant.
pub fn topic(tenant: usize, which: usize) -> usize {
    (tenant * 37 + which % 5 * 11) % TOPICS
}

/// A topic that the tenant never writes about.
pub fn foreign_topic(tenant: usize, which: usize) -> usize {
    (topic(tenant, which) + 5) % TOPICS
}

/// Of so many rows, how many each tenant has.
pub fn shares(rows: usize) -> Vec<usize> {
    let weight = |n: usize| ((n + 1) as f64).powf(-SKEW);
    let all: f64 = (0..TENANTS).map(weight).sum();
    (0..TENANTS).map(|n| (rows as f64 * weight(n) / all).round() as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_tenant_has_one_row_in_24_and_nobody_has_none() {
        let shares = shares(100_000);
        assert!((4_000..4_300).contains(&shares[0]), "{}", shares[0]);
        assert!((20..60).contains(&shares[TENANTS - 1]), "{}", shares[TENANTS - 1]);
    }

    #[test]
    fn a_foreign_topic_is_none_of_the_tenants_own() {
        for tenant in 0..TENANTS {
            let own: Vec<usize> = (0..5).map(|which| topic(tenant, which)).collect();
            assert!((0..5).all(|which| !own.contains(&foreign_topic(tenant, which))), "{tenant}");
        }
    }

    #[test]
    fn an_embedding_is_nearer_to_its_topic_than_to_another() {
        let (world, mut random) = (World::of(64), Random::of(1));
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let (a, b, c) =
            (world.about(3, &mut random), world.about(3, &mut random), world.about(90, &mut random));
        assert!(cosine(&a, &b) > cosine(&a, &c) + 0.2, "{} {}", cosine(&a, &b), cosine(&a, &c));
    }
}
