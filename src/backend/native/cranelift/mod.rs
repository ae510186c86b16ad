//! Machine code by Cranelift: kernels in vectors of 128 bits, and the function of a whole step.

mod codegen;
pub mod driver;
pub mod isa;
