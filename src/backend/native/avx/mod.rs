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
#[cfg(test)]
mod disassembly;
mod emit;
mod lir;
mod select;
mod verify;

#[cfg(test)]
pub use allocate::with_few_registers;
pub use asm::Vectors;

use crate::backend::CodeError;
use crate::loops::{Feature, Kernel, Target};

impl Vectors {
    /// Those that a target has, if they are wider than Cranelift's.
    pub fn of(target: &Target) -> Option<Vectors> {
        match target.features {
            features if features.contains(&Feature::Avx512F) => Some(Vectors::Avx512),
            features if features.contains(&Feature::Avx2) => Some(Vectors::Avx2),
            _ => None,
        }
    }
}

/// The code of a kernel, called as `(environment, piece)`.
///
/// # Errors
/// If it has types that wide vectors do not have.
pub fn compile(kernel: &Kernel, vectors: Vectors) -> Result<Vec<u8>, CodeError> {
    let code = assemble(kernel, asm::Asm::new(vectors))?.finish()?;
    #[cfg(test)]
    disassembly::compare(&text(kernel, vectors)?, &code);
    Ok(code)
}

/// The same as text, for which the processor need not have such vectors.
///
/// # Errors
/// As [`compile`].
pub fn text(kernel: &Kernel, vectors: Vectors) -> Result<String, CodeError> {
    Ok(assemble(kernel, asm::Asm::listed(vectors))?.text())
}

fn assemble(kernel: &Kernel, mut asm: asm::Asm) -> Result<asm::Asm, CodeError> {
    let selected = select::select(kernel, asm.vectors)?;
    let (environment, piece) = (selected.environment, selected.piece);
    if cfg!(debug_assertions) {
        verify::verify(&selected, asm.vectors)?;
    }
    let allocated = allocate::allocate(selected, &mut asm);
    if cfg!(debug_assertions) {
        verify::verify_places(&allocated, asm.vectors, [environment, piece])?;
    }
    emit::emit(&allocated, asm, environment, piece)
}
