//! Numbers that look like chance and are the same in every run (SplitMix64, Steele, Lea and Flood, 2014).

/// A stream of numbers that its seed decides.
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    pub fn of(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// About normal: mean 0, deviation 1. The sum of twelve is near enough for clusters.
    pub fn normal(&mut self) -> f32 {
        let twelve: f32 = (0..12).map(|_| (self.bits() >> 40) as f32 / (1u64 << 24) as f32).sum();
        twelve - 6.0
    }

    /// A uuid.
    pub fn id(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(
            (u128::from(self.bits()) << 64 | u128::from(self.bits())).to_le_bytes(),
        )
        .into_uuid()
    }
}
