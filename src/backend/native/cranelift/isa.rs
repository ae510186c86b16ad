//! The machine that code is made for.

use crate::backend::CodeError;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};

/// What to compile for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    /// This computer, with all that Cranelift knows of it.
    Host,
    /// x86-64 with AVX2 and FMA, whatever this computer is: for text that does not depend on it.
    X64Fma,
}

/// A code generator.
///
/// # Errors
/// If Cranelift does not know the processor.
pub fn make(machine: Machine) -> Result<OwnedTargetIsa, CodeError> {
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
        flags.set(name, value).map_err(|error| CodeError::unsupported(format!("Cranelift: {error}")))?;
    }
    let builder = match machine {
        Machine::Host => cranelift_native::builder()
            .map_err(|error| CodeError::unsupported(format!("this processor: {error}")))?,
        Machine::X64Fma => {
            let mut builder = isa::lookup_by_name("x86_64-unknown-linux-gnu")
                .map_err(|error| CodeError::unsupported(error.to_string()))?;
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
                builder.enable(feature).map_err(|error| CodeError::unsupported(error.to_string()))?;
            }
            builder
        }
    };
    builder.finish(settings::Flags::new(flags)).map_err(|error| CodeError::unsupported(error.to_string()))
}

/// Whether fused multiply-add is one instruction.
pub fn has_fma(isa: &dyn isa::TargetIsa) -> bool {
    // Only x64 has a choice.
    let flag = isa.isa_flags().into_iter().find(|flag| flag.name == "has_fma");
    flag.is_none_or(|flag| flag.as_bool() == Some(true))
}
