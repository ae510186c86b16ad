//! The stages of the compiler that can be printed: by `nnc ir --stage` and by the snapshot tests.

use std::fmt;

/// The stages of the compiler at which a program can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The forward graphs: what the losses and metrics of each step need.
    Ir,
    /// Whole graphs with gradients and updates, as they were made.
    Grad,
    /// After simplification.
    Opt,
    /// Kernels and buffers.
    Plan,
    /// Loop nests.
    Loops,
    /// Cranelift's intermediate form.
    Clif,
    /// Machine code by Cranelift, disassembled.
    Asm,
    /// Machine code for processors with AVX2.
    Avx2,
    /// Machine code for processors with AVX-512.
    Avx512,
}

impl Stage {
    pub const ALL: [Stage; 10] = [
        Stage::Ast,
        Stage::Ir,
        Stage::Grad,
        Stage::Opt,
        Stage::Plan,
        Stage::Loops,
        Stage::Clif,
        Stage::Asm,
        Stage::Avx2,
        Stage::Avx512,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Ast => "ast",
            Stage::Ir => "ir",
            Stage::Grad => "grad",
            Stage::Opt => "opt",
            Stage::Plan => "plan",
            Stage::Loops => "loops",
            Stage::Clif => "clif",
            Stage::Asm => "asm",
            Stage::Avx2 => "avx2",
            Stage::Avx512 => "avx512",
        }
    }

    pub fn from_name(name: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
