//! Machine code for this computer.
//!
//! ```text
//! VerifiedModule ──cranelift, avx──▶ machine code ──▶ Executable
//! ```
//!
//! Code has no addresses in it: all that it works on and calls comes in by the [`frame`]. `unsafe` stands in
//! this folder because machine code is called from it; what it is called with is checked before.

pub(super) mod avx;
mod compile;
mod cranelift;
mod executable;
mod frame;
mod memory;
mod moving;
#[cfg(feature = "object")]
mod object;
mod products;

use super::{Backend, Code, CodeError, Form, Options, host};
use crate::ir::program::Precision;
use crate::loops::{Target, VerifiedModule};
use compile::Compiler;
use cranelift::isa::Machine;
use executable::Executable;
#[cfg(test)]
pub(super) use executable::arena_of;

/// A code generator for this processor.
pub struct Native {
    name: &'static str,
    /// The back end for programs of 32-bit floats. Cranelift makes all code of programs of 64-bit floats.
    target: Target,
}

pub static CRANELIFT: Native = Native { name: "cranelift", target: Target::PLAIN };
pub static AVX2: Native = Native { name: "avx2", target: Target::AVX2 };
pub static AVX512: Native = Native { name: "avx512", target: Target::AVX512 };

impl Backend for Native {
    fn name(&self) -> &'static str {
        self.name
    }

    fn target(&self, precision: Precision) -> Target {
        match precision {
            Precision::F32 if !self.target.features.is_empty() => self.target,
            Precision::F32 | Precision::F64 => Target { fma: host::has_fma(), ..Target::PLAIN },
        }
    }

    fn compile(&self, module: &VerifiedModule, options: Options) -> Result<Box<dyn Code>, CodeError> {
        Ok(Box::new(Executable::new(module, options)?))
    }

    fn is_machine_code(&self) -> bool {
        true
    }

    #[cfg(feature = "object")]
    fn object(&self, object: &super::object::Object<'_>) -> Result<Vec<u8>, CodeError> {
        host::check(&self.target)?;
        object::write(object)
    }

    /// For x86-64 with AVX2, whatever this computer is; Cranelift's assembly is for this computer.
    fn text(&self, module: &VerifiedModule, form: Form) -> Result<String, CodeError> {
        match avx::Vectors::of(&self.target) {
            None => {
                let machine = if form == Form::Assembly { Machine::Host } else { Machine::X64Fma };
                Compiler::new(machine, Options::default())?.text(module, form)
            }
            Some(_) if module.precision == Precision::F64 => {
                Ok("; kernels of 64-bit floats are made by Cranelift: stage asm\n".to_owned())
            }
            Some(vectors) => {
                let mut text = String::new();
                for (number, kernel) in module.kernels.iter().enumerate() {
                    if kernel.long {
                        let why = "ints of 64 bits are made by Cranelift: stage asm";
                        text.push_str(&format!("; kernel k{number}\n; {why}\n\n"));
                        continue;
                    }
                    text.push_str(&format!("; kernel k{number}\n{}\n", avx::text(kernel, vectors)?));
                }
                Ok(text)
            }
        }
    }
}
