//! Chance that does not depend on the order of asking: each firm has its own stream for each purpose and day.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One stream of chance.
#[derive(Debug)]
pub struct Chance {
    stream: ChaCha8Rng,
}

impl Chance {
    /// The stream of one firm (or other subject) for one purpose; `turn` tells apart the times it is asked.
    #[must_use]
    pub fn new(seed: u64, subject: u64, purpose: &str, turn: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&subject.to_le_bytes());
        key[16..24].copy_from_slice(&xxh3_64_with_seed(purpose.as_bytes(), 0).to_le_bytes());
        key[24..].copy_from_slice(&turn.to_le_bytes());
        Self {
            stream: ChaCha8Rng::from_seed(key),
        }
    }

    /// A number from 0 to `n` - 1; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.stream.next_u64()) * u128::from(n);
        // The high half of a 64 by 64 bit product is below n.
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// The same for heads.
    pub fn heads(&mut self, low: u32, high: u32) -> u32 {
        u32::try_from(self.between(low.into(), high.into())).unwrap_or(low)
    }

    /// The same for days.
    pub fn days(&mut self, low: u32, high: u32) -> i32 {
        i32::try_from(self.between(low.into(), high.into())).unwrap_or(0)
    }

    /// Whether something happens that happens `n` times in 100,000.
    pub fn per_100k(&mut self, n: u64) -> bool {
        self.below(100_000) < n
    }

    /// Whether something happens that happens `n` times in 100.
    pub fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// One of a list that is never empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        &list[at]
    }
}

/// A cheap fixed number for one subject and one purpose: for the dirt of millions of cells, where a stream would be too dear.
#[must_use]
pub fn fixed(seed: u64, subject: u64, purpose: u64) -> u64 {
    let mut key = [0_u8; 16];
    key[..8].copy_from_slice(&subject.to_le_bytes());
    key[8..].copy_from_slice(&purpose.to_le_bytes());
    xxh3_64_with_seed(&key, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_equal_only_for_equal_keys() {
        let draw = |seed, subject, purpose: &str, turn| {
            Chance::new(seed, subject, purpose, turn).below(u64::MAX)
        };
        let first = draw(1, 2, "a", 3);
        assert_eq!(first, draw(1, 2, "a", 3));
        for other in [
            draw(2, 2, "a", 3),
            draw(1, 3, "a", 3),
            draw(1, 2, "b", 3),
            draw(1, 2, "a", 4),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut chance = Chance::new(7, 0, "bounds", 0);
        let mut seen = [false; 5];
        for _ in 0..200 {
            let n = chance.between(3, 7);
            assert!((3..=7).contains(&n));
            seen[usize::try_from(n - 3).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(chance.below(0), 0);
    }
}
