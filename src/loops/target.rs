//! Targets: the machines that code is made for.

use crate::ir::program::Precision;
use std::fmt;

/// A kind of machine: what loops are shaped for, and what code of them needs to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The most floats of 32 bits in a vector, or twice as many as of 64.
    pub lanes: u8,
    /// Whether `a * b + c` is rounded once.
    pub fma: bool,
    /// Bits of an address.
    pub pointer_bits: u8,
    /// What the processor must have.
    pub features: &'static [Feature],
    /// Whether the generator makes one function of a step that is tiny.
    pub one_function: bool,
    /// Whether exp, tanh and their like are written out, with the same bits everywhere; else they are calls of the
    /// functions of `math.h`.
    pub own_math: bool,
    /// Whether there is a function for large matrix products; else all are written as loops.
    pub products: bool,
}

/// An extension of a processor's instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Feature {
    Avx2,
    Fma,
    Bmi2,
    Avx512F,
    Avx512Bw,
    Avx512Dq,
    Avx512Vl,
}

impl Target {
    /// Vectors of 128 bits, which every processor has or can imitate.
    pub const PLAIN: Target =
        Target {
            lanes: FEW_LANES,
            fma: true,
            pointer_bits: 64,
            features: &[],
            one_function: true,
            own_math: true,
            products: true,
        };
    pub const AVX2: Target = Target {
        lanes: 8,
        features: &[Feature::Avx2, Feature::Fma, Feature::Bmi2],
        one_function: false,
        ..Target::PLAIN
    };
    pub const AVX512: Target = Target {
        lanes: 16,
        features: &[Feature::Avx512F, Feature::Avx512Bw, Feature::Avx512Dq, Feature::Avx512Vl, Feature::Bmi2],
        one_function: false,
        ..Target::PLAIN
    };

    /// How many lanes a vector of floats has.
    pub fn float_lanes(&self, precision: Precision) -> u8 {
        match precision {
            Precision::F32 => self.lanes,
            Precision::F64 => (self.lanes / 2).max(1),
        }
    }

    /// The same with a function for every kernel, however small the step is.
    pub fn as_kernels(self) -> Target {
        Target { one_function: false, ..self }
    }
}

/// Lanes of a vector that every processor has.
const FEW_LANES: u8 = 4;

impl Feature {
    pub fn name(self) -> &'static str {
        match self {
            Feature::Avx2 => "AVX2",
            Feature::Fma => "FMA",
            Feature::Bmi2 => "BMI2",
            Feature::Avx512F => "AVX-512F",
            Feature::Avx512Bw => "AVX-512BW",
            Feature::Avx512Dq => "AVX-512DQ",
            Feature::Avx512Vl => "AVX-512VL",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
