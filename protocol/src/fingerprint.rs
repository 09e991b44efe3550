//! 128-bit fingerprints of states. Two of 100 million states share one with a chance of 1 in 10^22.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A random odd number.
const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

pub fn fingerprint<T: Hash>(state: &T) -> u128 {
    let mut mixer = Mixer(FACTOR);
    state.hash(&mut mixer);
    let mixed = (mixer.0 ^ (mixer.0 >> 61)).wrapping_mul(FACTOR);
    mixed ^ (mixed >> 67)
}

struct Mixer(u128);

impl Mixer {
    fn mix(&mut self, word: u128) {
        self.0 = (self.0.rotate_left(47) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix(u128::from(*byte)));
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(word.into());
    }

    fn write_u128(&mut self, word: u128) {
        self.mix(word);
    }

    fn write_isize(&mut self, word: isize) {
        self.mix(word as u128);
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

/// For tables whose keys are fingerprints: these need no second hash.
pub type Plain = BuildHasherDefault<LowBits>;

#[derive(Default)]
pub struct LowBits(u64);

impl Hasher for LowBits {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, word: u128) {
        self.0 = word as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
