//! Small memory for many keys: a hash table of positions, and a row of bits.

/// No position.
const EMPTY: u32 = u32::MAX;
/// The smallest table.
const LEAST: usize = 64;

/// Positions in some list, found by a hash that is spread evenly already: four bytes for each, and room for half as many again.
#[derive(Debug, Default)]
pub struct Table {
    slots: Vec<u32>,
    filled: usize,
}

impl Table {
    /// Whether nothing was added.
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Makes room for so many in all; `hash` gives the hash of a position that was added.
    pub fn grow_for(&mut self, many: usize, hash: impl Fn(u32) -> u64) {
        if many.saturating_mul(3) <= self.slots.len().saturating_mul(2) {
            return;
        }
        let size = (many.max(self.filled * 2).saturating_mul(3) / 2)
            .max(LEAST)
            .next_power_of_two();
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        self.filled = 0;
        for at in old.into_iter().filter(|at| *at != EMPTY) {
            self.add(hash(at), at);
        }
    }

    /// Adds a position. There must be room.
    pub fn add(&mut self, hash: u64, at: u32) {
        let mut slot = self.slot(hash);
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = at;
        self.filled += 1;
    }

    /// The position with this hash for which `is_it` holds.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut slot = self.slot(hash);
        loop {
            match self.slots[slot] {
                EMPTY => return None,
                at if is_it(at) => return Some(at),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    fn slot(&self, hash: u64) -> usize {
        // The number of slots is a power of two.
        hash as usize & (self.slots.len() - 1)
    }
}

/// One bit for each position.
#[derive(Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    length: usize,
}

impl Bits {
    /// So many bits, none set.
    pub fn none(length: usize) -> Self {
        Self {
            words: vec![0; length.div_ceil(64)],
            length,
        }
    }

    /// One more bit.
    pub fn push(&mut self, bit: bool) {
        if self.length.is_multiple_of(64) {
            self.words.push(0);
        }
        self.length += 1;
        if bit {
            self.set(self.length - 1);
        }
    }

    /// A bit.
    pub fn get(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }

    /// Sets a bit; whether it was set already.
    pub fn set(&mut self, at: usize) -> bool {
        let was = self.get(at);
        self.words[at / 64] |= 1 << (at % 64);
        was
    }

    /// Unsets all.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_added_is_found_and_nothing_else(hashes in prop::collection::vec(0u64..500, 0..400), asked in 0u64..600) {
            let mut table = Table::default();
            for (at, hash) in hashes.iter().enumerate() {
                table.grow_for(at + 1, |at| hashes[at as usize]);
                table.add(*hash, u32::try_from(at).unwrap());
            }
            let found = table.find(asked, |at| hashes[at as usize] == asked);
            prop_assert_eq!(found.map(|at| hashes[at as usize]), hashes.contains(&asked).then_some(asked));
        }

        #[test]
        fn bits_are_as_a_list(bits in prop::collection::vec(any::<bool>(), 0..200), set in 0usize..200) {
            let mut row = Bits::default();
            for bit in &bits {
                row.push(*bit);
            }
            prop_assert!((0..bits.len()).all(|at| row.get(at) == bits[at]));
            if set < bits.len() {
                prop_assert_eq!(row.set(set), bits[set]);
                prop_assert!(row.get(set));
            }
            row.clear();
            prop_assert!((0..bits.len()).all(|at| !row.get(at)));
        }
    }
}
