//! Small memory for many keys: a hash table of positions, a list that grows by pieces, and a row of bits.

/// No position.
const EMPTY: u32 = u32::MAX;
/// The smallest table.
const LEAST: usize = 64;

/// Positions in some list, found by a hash that is spread evenly already: eight bytes for each, and room for half as many again.
#[derive(Debug, Default)]
pub struct Table {
    slots: Vec<Slot>,
    filled: usize,
}

/// A position with half of its hash: whoever looks for another hash need not look into the list.
#[derive(Debug, Clone, Copy)]
struct Slot {
    half: u32,
    at: u32,
}

const FREE: Slot = Slot { half: 0, at: EMPTY };

/// Items of a piece.
const PIECE: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// A list that is never copied to grow: of ten million keys that would take twice the memory for a moment.
#[derive(Debug)]
pub struct Pieces<T>(Vec<Vec<T>>);

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pieces<T> {
    /// How many items there are.
    pub fn len(&self) -> usize {
        let last = self.0.last().map_or(0, Vec::len);
        self.0.len().saturating_sub(1) * PIECE + last
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(item),
            // A short list has a short piece.
            None => self.0.push(vec![item]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(item);
                self.0.push(piece);
            }
        }
    }

    /// All items, from front to back.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// All items side by side; each piece is let go of as it is moved.
    pub fn into_vec(self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.len());
        for piece in self.0 {
            all.extend(piece);
        }
        all
    }
}

impl<T> std::ops::Index<usize> for Pieces<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.0[at / PIECE][at % PIECE]
    }
}

impl<T> std::ops::IndexMut<usize> for Pieces<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.0[at / PIECE][at % PIECE]
    }
}

impl Table {
    /// Makes room for so many in all.
    pub fn grow_for(&mut self, many: usize) {
        if many.saturating_mul(3) <= self.slots.len().saturating_mul(2) {
            return;
        }
        let size = (many.max(self.filled * 2).saturating_mul(3) / 2).max(LEAST);
        let old = std::mem::replace(&mut self.slots, vec![FREE; size]);
        for slot in old.into_iter().filter(|slot| slot.at != EMPTY) {
            let free = self.walk(slot.half, |_| false).1;
            self.slots[free] = slot;
        }
    }

    /// Adds a position. There must be room.
    pub fn add(&mut self, hash: u64, at: u32) {
        let half = half(hash);
        let free = self.walk(half, |_| false).1;
        self.slots[free] = Slot { half, at };
        self.filled += 1;
    }

    /// The position with this hash for which `is_it` holds.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.walk(half(hash), is_it).0
    }

    /// The position that is meant, or the free slot where it would be.
    fn walk(&self, half: u32, is_it: impl Fn(u32) -> bool) -> (Option<u32>, usize) {
        let length = self.slots.len();
        // In the order of halves: a table that grows is read and written from front to back.
        let mut slot = usize::try_from((u64::from(half) * length as u64) >> u32::BITS).unwrap_or(0);
        loop {
            let found = self.slots[slot];
            if found.at == EMPTY {
                return (None, slot);
            }
            if found.half == half && is_it(found.at) {
                return (Some(found.at), slot);
            }
            slot += 1;
            if slot == length {
                slot = 0;
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "half of it is meant")]
const fn half(hash: u64) -> u32 {
    (hash >> u32::BITS) as u32
}

/// Raw fingerprints with the positions of their keys. The fingerprint lies in its slot, so that one look decides.
#[derive(Debug, Default)]
pub struct Raws {
    /// 0 is empty.
    slots: Vec<u64>,
    keys: Vec<u32>,
    seen: Bits,
    blocked: Bits,
    filled: usize,
}

impl Raws {
    /// With room for so many.
    pub fn for_so_many(many: usize) -> Self {
        // No power of two: half a million empty slots would be several MiB.
        let size = (many.saturating_mul(7) / 5).max(LEAST);
        Self {
            slots: vec![0; size],
            keys: vec![EMPTY; size],
            seen: Bits::none(size),
            blocked: Bits::none(size),
            filled: 0,
        }
    }

    /// Whether nothing was added.
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Adds a fingerprint that is not 0. There must be room.
    pub fn add(&mut self, raw: u64, key: u32) {
        let slot = self.slot(raw);
        if self.slots[slot] == 0 {
            self.slots[slot] = raw;
            self.keys[slot] = key;
            self.filled += 1;
        }
    }

    /// Adds many, none 0, and empties the list. There must be room. Slots lie in the order of fingerprints: in that order a table
    /// that is larger than the processor's caches is written from front to back instead of one miss after another.
    pub fn add_all(&mut self, raws: &mut Vec<(u64, u32)>) {
        raws.sort_unstable();
        for (raw, key) in raws.drain(..) {
            self.add(raw, key);
        }
    }

    /// Where a fingerprint would be if no other were in its way.
    fn first_slot(&self, raw: u64) -> usize {
        usize::try_from((u128::from(raw) * self.slots.len() as u128) >> 64).unwrap_or(0)
    }

    /// Fetches what the next questions will look at. A question waits for its slot before it can tell how far it has to go; these
    /// do not wait for each other.
    pub fn fetch(&self, raws: &[u64]) {
        if !self.slots.is_empty() {
            let fetched = raws
                .iter()
                .fold(0, |all, raw| all ^ self.slots[self.first_slot(*raw)]);
            std::hint::black_box(fetched);
        }
    }

    /// Where a fingerprint is or would be.
    fn slot(&self, raw: u64) -> usize {
        let length = self.slots.len();
        let mut slot = self.first_slot(raw);
        while self.slots[slot] != 0 && self.slots[slot] != raw {
            slot += 1;
            if slot == length {
                slot = 0;
            }
        }
        slot
    }

    /// Sees a fingerprint; `None` when it is not there or blocked, else whether it was seen before.
    pub fn see(&mut self, raw: u64) -> Option<bool> {
        if raw == 0 || self.slots.is_empty() {
            return None;
        }
        let slot = self.slot(raw);
        (self.slots[slot] != 0 && !self.blocked.get(slot)).then(|| self.seen.set(slot))
    }

    /// Whether this fingerprint was seen.
    pub fn is_seen(&self, raw: u64) -> bool {
        if raw == 0 || self.slots.is_empty() {
            return false;
        }
        let slot = self.slot(raw);
        self.slots[slot] != 0 && self.seen.get(slot)
    }

    /// From now on the fingerprint is not seen any more.
    pub fn block(&mut self, raw: u64) {
        if raw != 0 && !self.slots.is_empty() {
            let slot = self.slot(raw);
            if self.slots[slot] != 0 {
                self.blocked.set(slot);
            }
        }
    }

    /// The positions whose fingerprints were seen.
    pub fn seen(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = self.keys.iter().enumerate();
        slots
            .filter(|(slot, key)| **key != EMPTY && self.seen.get(*slot))
            .map(|(_, key)| *key)
    }

    /// None was seen.
    pub fn forget(&mut self) {
        self.seen.clear();
        self.blocked.clear();
    }
}

/// One bit for each position.
#[derive(Debug, Default, Clone)]
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
        fn pieces_hold_what_a_list_holds(items in prop::collection::vec(any::<u16>(), 0..40), changes in prop::collection::vec((0usize..40, any::<u16>()), 0..10)) {
            let (mut list, mut pieces) = (items.clone(), Pieces::default());
            for item in items {
                pieces.push(item);
            }
            prop_assert_eq!(pieces.len(), list.len());
            let length = list.len();
            for (at, item) in changes.into_iter().filter(|(at, _)| *at < length) {
                list[at] = item;
                pieces[at] = item;
                prop_assert_eq!(pieces[at], list[at]);
            }
            prop_assert!(pieces.iter().eq(&list));
            prop_assert_eq!(pieces.into_vec(), list);
        }

        #[test]
        fn what_was_added_is_found_and_nothing_else(hashes in prop::collection::vec(0u64..500, 0..400), asked in 0u64..600) {
            let mut table = Table::default();
            for (at, hash) in hashes.iter().enumerate() {
                table.grow_for(at + 1);
                table.add(*hash, u32::try_from(at).unwrap());
            }
            let found = table.find(asked, |at| hashes[at as usize] == asked);
            prop_assert_eq!(found.map(|at| hashes[at as usize]), hashes.contains(&asked).then_some(asked));
        }

        #[test]
        fn raw_fingerprints_are_seen_once_and_not_when_blocked(
            added in prop::collection::hash_set(1u64..400, 0..200),
            asked in prop::collection::vec((0u64..500, any::<bool>()), 0..300),
        ) {
            let mut raws = Raws::for_so_many(added.len());
            let (one_by_one, together) = added.iter().copied().partition::<Vec<u64>, _>(|raw| raw % 3 == 0);
            for (at, raw) in (0..).zip(&one_by_one) {
                raws.add(raw << 40 | raw, at);
            }
            let mut together: Vec<_> = together.into_iter().map(|raw| (raw << 40 | raw, 7)).collect();
            raws.add_all(&mut together);
            prop_assert!(together.is_empty());
            let mut seen = std::collections::BTreeSet::new();
            let mut blocked = std::collections::BTreeSet::new();
            for (raw, block) in asked {
                let print = raw << 40 | raw;
                if block {
                    raws.block(print);
                    blocked.insert(raw);
                    continue;
                }
                let known = added.contains(&raw) && !blocked.contains(&raw);
                prop_assert_eq!(raws.see(print), known.then(|| !seen.insert(raw)));
                prop_assert_eq!(raws.is_seen(print), seen.contains(&raw));
            }
            prop_assert_eq!(raws.seen().count(), seen.len());
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
