//! A fast hash for interning nodes and for tables of them: many small keys, none of them from an adversary.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Finds equal entries of a list by hash. The list itself is the caller's, so that no key is kept twice.
#[derive(Clone, Default, Debug)]
pub struct Interner {
    places: FastMap<u64, u32>,
}

impl Interner {
    /// The index of the entry that `is_equal`, or else the slot in which to enter it.
    pub fn find(&self, key: &impl Hash, is_equal: impl Fn(u32) -> bool) -> Result<u32, u64> {
        let mut hasher = FastHasher::default();
        key.hash(&mut hasher);
        let mut slot = hasher.finish();
        // Different entries with the same hash are in the slots that follow (linear probing).
        while let Some(place) = self.places.get(&slot) {
            if is_equal(*place) {
                return Ok(*place);
            }
            slot = slot.wrapping_add(1);
        }
        Err(slot)
    }

    pub fn enter(&mut self, slot: u64, place: u32) {
        self.places.insert(slot, place);
    }
}

/// Each word is added by a rotation, an exclusive or and a multiplication (as in Firefox and rustc).
#[derive(Clone, Copy, Default, Debug)]
pub struct FastHasher(u64);

type FastBuildHasher = BuildHasherDefault<FastHasher>;
/// A table whose keys the compiler numbers itself.
pub type FastMap<K, V> = HashMap<K, V, FastBuildHasher>;
/// The same as a set.
pub type FastSet<K> = HashSet<K, FastBuildHasher>;

const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        // The table looks at the highest and the lowest bits; multiplication fills only the high ones.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
