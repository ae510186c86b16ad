//! Kernels with vectors as wide as the processor has, which Cranelift (128 bits on x86-64) does not make.
//!
//! ```text
//! Kernel ──select──▶ instructions over any number of registers ──allocate──▶ places ──emit, asm──▶ bytes
//! ```
//!
//! Only kernels of 32-bit floats come here, and only on processors that have AVX2 with fused multiply-add, or
//! AVX-512; everything else is Cranelift's, from the same loop IR with fewer lanes.

mod allocate;
mod asm;
mod emit;
mod lir;
mod select;

#[cfg(test)]
pub use allocate::with_few_registers;
pub use asm::Vectors;

use super::JitError;
use crate::loops::Kernel;

/// The widest vectors of this computer.
pub fn vectors() -> Option<Vectors> {
    #[cfg(all(target_arch = "x86_64", unix))]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi2")
        {
            return Some(Vectors::Avx512);
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi2")
        {
            return Some(Vectors::Avx2);
        }
    }
    None
}

impl Vectors {
    /// Those with so many lanes of 32 bits.
    pub fn with_lanes(lanes: u8) -> Option<Vectors> {
        match lanes {
            8 => Some(Vectors::Avx2),
            16 => Some(Vectors::Avx512),
            _ => None,
        }
    }

    /// Lanes of 32 bits.
    pub fn lanes(self) -> u8 {
        match self {
            Vectors::Avx2 => 8,
            Vectors::Avx512 => 16,
        }
    }
}

/// The code of a kernel, called as `(environment, piece)`.
///
/// # Errors
/// If it has types that wide vectors do not have.
pub fn compile(kernel: &Kernel, vectors: Vectors) -> Result<Vec<u8>, JitError> {
    assemble(kernel, asm::Asm::new(vectors))?.finish()
}

/// The same as text, for which the processor need not have such vectors.
///
/// # Errors
/// As [`compile`].
pub fn text(kernel: &Kernel, vectors: Vectors) -> Result<String, JitError> {
    Ok(assemble(kernel, asm::Asm::listed(vectors))?.text())
}

fn assemble(kernel: &Kernel, mut asm: asm::Asm) -> Result<asm::Asm, JitError> {
    let selected = select::select(kernel, asm.vectors)?;
    let (environment, piece) = (selected.environment, selected.piece);
    let allocated = allocate::allocate(selected, &mut asm);
    emit::emit(&allocated, asm, environment, piece)
}
