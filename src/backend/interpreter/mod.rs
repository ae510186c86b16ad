//! Loops carried out on any machine, without machine code, threads and `unsafe`.
//!
//! ```text
//! Kernel ──translate──▶ Code: operations on numbered registers ──execute──▶ memory
//! ```
//!
//! It computes in vectors as long as those of machine code on the same computer, in the same order and with the
//! same roundings, so its results are the same bits (products of 64-bit floats excepted, whose sums a library
//! orders).

mod code;
mod execute;
mod scalars;
mod translate;
mod vectors;

use super::driver::{Driven, Env, Kernels};
use super::{Backend, CodeError, Options, host};
use crate::ir::program::Precision;
use crate::loops::{KernelId, Target, VerifiedModule};
use code::{Code, Registers};

pub struct Interpreter;

pub static INTERPRETER: Interpreter = Interpreter;

impl Backend for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn target(&self, precision: Precision) -> Target {
        // Where nothing makes machine code, long vectors are quickest: an operation is chosen once for all lanes.
        let longest = if cfg!(target_family = "wasm") { Target::AVX512.lanes } else { Target::PLAIN.lanes };
        let wide = [Target::AVX512, Target::AVX2].into_iter().find(host::suits);
        let lanes = match precision {
            Precision::F32 => wide.map_or(longest, |target| target.lanes),
            Precision::F64 => Target::PLAIN.lanes,
        };
        Target { lanes, fma: host::has_fma(), pointer_bits: usize::BITS as u8, ..Target::PLAIN.as_kernels() }
    }

    fn compile(&self, module: &VerifiedModule, _options: Options) -> Result<Box<dyn super::Code>, CodeError> {
        let codes = module.kernels.iter().map(|kernel| translate::translate(kernel, &module.target));
        let interpreted = Interpreted { codes: codes.collect::<Result<_, _>>()? };
        Ok(Box::new(Driven::new(interpreted, module)?))
    }
}

/// The kernels of a module.
struct Interpreted {
    codes: Vec<Code>,
}

impl Kernels for Interpreted {
    type Registers = Registers;

    fn run(
        &self,
        kernel: KernelId,
        env: Env<'_>,
        memory: &mut [u8],
        registers: &mut Registers,
    ) -> Result<(), CodeError> {
        execute::execute(&self.codes[kernel.0 as usize], env, memory, registers)
    }
}
