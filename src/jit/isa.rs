//! The machine that code is made for.

use super::JitError;
use super::wide::Vectors;
use crate::loops::FEW_LANES;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};

/// What to compile for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Target {
    /// This computer, with all that it can do.
    #[default]
    Host,
    /// This computer, with at most so many lanes of 32 bits.
    Lanes(u8),
    /// x86-64 with AVX2 and FMA, whatever this computer is: for text that does not depend on it.
    X64Fma,
}

impl Target {
    /// The most lanes of 32 bits that kernels for it have.
    pub fn lanes(self) -> u8 {
        match self {
            Target::Host => super::wide::vectors().map_or(FEW_LANES, Vectors::lanes),
            Target::Lanes(lanes) => self::Target::Host.lanes().min(lanes),
            Target::X64Fma => FEW_LANES,
        }
    }
}

/// A code generator.
///
/// # Errors
/// If Cranelift does not know the processor.
pub fn make(target: Target) -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let options = [
        ("opt_level", "speed"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ("is_pic", "false"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("enable_alias_analysis", "true"),
        ("regalloc_checker", "false"),
    ];
    for (name, value) in options {
        flags.set(name, value).map_err(|error| JitError::new(format!("Cranelift: {error}")))?;
    }
    let builder = match target {
        Target::Host | Target::Lanes(_) => {
            cranelift_native::builder().map_err(|error| JitError::new(format!("this processor: {error}")))?
        }
        Target::X64Fma => {
            let mut builder = isa::lookup_by_name("x86_64-unknown-linux-gnu")
                .map_err(|error| JitError::new(error.to_string()))?;
            let features = [
                "has_sse3",
                "has_ssse3",
                "has_sse41",
                "has_sse42",
                "has_popcnt",
                "has_avx",
                "has_avx2",
                "has_fma",
            ];
            for feature in features {
                builder.enable(feature).map_err(|error| JitError::new(error.to_string()))?;
            }
            builder
        }
    };
    builder.finish(settings::Flags::new(flags)).map_err(|error| JitError::new(error.to_string()))
}

/// Whether fused multiply-add is one instruction.
pub fn has_fma(isa: &dyn isa::TargetIsa) -> bool {
    // Only x64 has a choice.
    let flag = isa.isa_flags().into_iter().find(|flag| flag.name == "has_fma");
    flag.is_none_or(|flag| flag.as_bool() == Some(true))
}
