//! The generator behind every random number of a program: Philox 4x32-10.
//!
//! Philox (Salmon, Moraes, Dror, Shaw: *Parallel random numbers: as easy as 1, 2, 3*, SC 2011)
//! maps a counter of four 32-bit words and a key of two to four random words. There is no state:
//! a number depends on the seed, the call that draws it, the training step, the scan step and the
//! element, and on nothing else. The interpreter and native code follow this definition:
//!
//! ```text
//! key     = (seed mod 2^32, seed / 2^32)
//! counter = (element / 4, scan step, training step, stream)        the block of four elements
//! w       = word (element mod 4) of philox(counter, key)
//!
//! uniform f32 = (w >> 8) * 2^-24                                   in [0, 1), exact
//! uniform f64 = ((w : v) >> 11) * 2^-53                            in [0, 1), exact
//!               v is the same word of the block whose scan step has bit 31 set, (w : v) = w * 2^32 + v
//! normal      = r cos a, r sin a  for words (0, 1): elements 0 and 1 of the block;
//!               likewise for words (2, 3): elements 2 and 3 (Box and Muller 1958), where
//!               r = sqrt(-2 ln u), a = 2 pi t,  u = first uniform + 2^-24 (f64: 2^-53), in (0, 1],
//!               t = second uniform
//! bernoulli p = 1 if uniform < p, else 0
//! ```
//!
//! Four elements in a row come from one block, which suits vectors of four lanes. The f64 number
//! begins with the bits of the f32 number, so a program means the same in both precisions.
//! Nested scans count their steps through, the innermost fastest; there are fewer than 2^31 - 1.
//! `stream` numbers the calls that draw. Permutations use scan step 2^32 - 1, which no draw has.

/// One Philox block: ten rounds over a counter under a key.
#[inline]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..10 {
        let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c0);
        let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c2);
        (c0, c1, c2, c3) = ((p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32);
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// The key that a seed stands for.
pub fn key_of(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// The number of the stream that a call draws from, by its name (path and ordinal): 32-bit FNV-1a.
pub fn stream_of(name: &str) -> u32 {
    name.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// One random call at one training step and scan step: everything that its numbers depend on except the element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw {
    pub seed: u64,
    pub stream: u32,
    pub step: u32,
    pub scan_step: u32,
}

impl Draw {
    /// The words of elements `4 * block .. 4 * block + 4`.
    #[inline]
    pub fn words(&self, block: u32) -> [u32; 4] {
        philox4x32([block, self.scan_step, self.step, self.stream], key_of(self.seed))
    }

    /// The lower halves of the same elements, which only 64-bit numbers need.
    #[inline]
    pub fn low_words(&self, block: u32) -> [u32; 4] {
        Draw { scan_step: self.scan_step | 1 << 31, ..*self }.words(block)
    }

    /// In `[0, 1)`, a multiple of 2^-24.
    pub fn uniform_f32(&self, element: u64) -> f32 {
        uniform_f32(self.words((element / 4) as u32)[(element % 4) as usize])
    }

    /// In `[0, 1)`, a multiple of 2^-53.
    pub fn uniform_f64(&self, element: u64) -> f64 {
        let (block, word) = ((element / 4) as u32, (element % 4) as usize);
        uniform_f64(self.words(block)[word], self.low_words(block)[word])
    }

    /// Standard normal; computed in 64 bits and rounded, so it is the same on every platform.
    pub fn normal_f32(&self, element: u64) -> f32 {
        let words = self.words((element / 4) as u32);
        let (first, second) = pair(element);
        let u = f64::from(uniform_f32(words[first])) + 1.0 / (1u32 << 24) as f64;
        normal(u, f64::from(uniform_f32(words[second])), element) as f32
    }

    /// Standard normal.
    pub fn normal_f64(&self, element: u64) -> f64 {
        let block = (element / 4) as u32;
        let (words, low) = (self.words(block), self.low_words(block));
        let (first, second) = pair(element);
        let u = uniform_f64(words[first], low[first]) + 1.0 / (1u64 << 53) as f64;
        normal(u, uniform_f64(words[second], low[second]), element)
    }
}

/// The uniform number that one word stands for.
#[inline]
pub fn uniform_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1u32 << 24) as f32)
}

/// The uniform number that two words stand for.
#[inline]
pub fn uniform_f64(high: u32, low: u32) -> f64 {
    ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The words of the block from which the normal number of `element` is made.
fn pair(element: u64) -> (usize, usize) {
    if element % 4 < 2 { (0, 1) } else { (2, 3) }
}

fn normal(u: f64, t: f64, element: u64) -> f64 {
    let (radius, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * t);
    if element.is_multiple_of(2) { radius * angle.cos() } else { radius * angle.sin() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { seed: 42, stream: 7, step: 3, scan_step: 0 };

    /// `philox4x32 10` of Random123's `kat_vectors`.
    #[test]
    fn known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn uniform_numbers_lie_in_the_half_open_interval() {
        assert_eq!((uniform_f32(0), uniform_f64(0, 0)), (0.0, 0.0));
        assert_eq!(uniform_f32(u32::MAX), 1.0 - f32::EPSILON / 2.0);
        assert_eq!(uniform_f64(u32::MAX, u32::MAX), 1.0 - f64::EPSILON / 2.0);
    }

    #[test]
    fn both_precisions_draw_the_same_numbers() {
        for element in 0..1000 {
            let (narrow, wide) = (DRAW.uniform_f32(element), DRAW.uniform_f64(element));
            assert!((0.0..1.0 / (1 << 24) as f64).contains(&(wide - f64::from(narrow))));
            let (narrow, wide) = (DRAW.normal_f32(element), DRAW.normal_f64(element));
            assert!((f64::from(narrow) - wide).abs() < 1e-3, "{narrow} {wide}");
        }
    }

    #[test]
    fn moments() {
        let n = 200_000;
        let uniform: Vec<f64> = (0..n).map(|e| f64::from(DRAW.uniform_f32(e))).collect();
        let normal: Vec<f64> = (0..n).map(|e| f64::from(DRAW.normal_f32(e))).collect();
        let mean = |values: &[f64], power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / n as f64;
        assert!((mean(&uniform, 1) - 0.5).abs() < 0.003 && (mean(&uniform, 2) - 1.0 / 3.0).abs() < 0.003);
        assert!(mean(&normal, 1).abs() < 0.01 && (mean(&normal, 2) - 1.0).abs() < 0.015);
        assert!(mean(&normal, 3).abs() < 0.04 && (mean(&normal, 4) - 3.0).abs() < 0.1);
        let products: f64 = normal.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n as f64;
        assert!(products.abs() < 0.01);
    }

    #[test]
    fn every_part_of_the_counter_matters() {
        let other = [
            Draw { seed: 43, ..DRAW },
            Draw { seed: 42 + (1 << 32), ..DRAW },
            Draw { stream: 8, ..DRAW },
            Draw { step: 4, ..DRAW },
            Draw { scan_step: 1, ..DRAW },
        ];
        for draw in other {
            assert_ne!(draw.words(0), DRAW.words(0));
        }
        assert_ne!(DRAW.words(1), DRAW.words(0));
    }
}
