//! Random numbers for runs of consecutive elements.

use super::graph::RandKind;
use crate::base::philox::{Draw, uniform_f32};

impl RandKind {
    /// `values` are the elements from `first` on, a multiple of 4.
    pub fn fill_f32(self, draw: Draw, first: usize, values: &mut [f32]) {
        match self {
            RandKind::Uniform => {
                for (block, values) in values.chunks_mut(4).enumerate() {
                    let words = draw.words((first / 4 + block) as u32);
                    values.iter_mut().zip(words).for_each(|(value, word)| *value = uniform_f32(word));
                }
            }
            RandKind::Normal => {
                for (at, value) in values.iter_mut().enumerate() {
                    *value = draw.normal_f32((first + at) as u64);
                }
            }
        }
    }

    /// The same in 64 bits.
    pub fn fill_f64(self, draw: Draw, first: usize, values: &mut [f64]) {
        for (at, value) in values.iter_mut().enumerate() {
            let element = (first + at) as u64;
            *value = match self {
                RandKind::Uniform => draw.uniform_f64(element),
                RandKind::Normal => draw.normal_f64(element),
            };
        }
    }
}
