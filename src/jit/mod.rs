//! Rank 5: from loop IR to native code.
//!
//! ```text
//! Module ──codegen, driver──▶ CLIF ──Cranelift──▶ machine code ──▶ Executable
//! ```
//!
//! Code has no addresses in it: all that it works on and calls comes in by the [`frame`]. `unsafe` stands in
//! this folder because machine code is called from it; what it is called with is checked before.

mod bindings;
mod codegen;
mod compile;
mod driver;
mod executable;
mod frame;
mod isa;
mod products;
#[cfg(test)]
mod tests;
mod wide;

pub use bindings::{Binding, TensorMut, TensorRef};
pub use executable::{Call, Executable, Lowered, Options, Outcome, Overflow, Rows, Series, Workspace};
pub(crate) use frame::sealed;
pub use frame::{Alone, Parallel};
pub use isa::Target;

use crate::loops::{Module, Site};

/// Why there is no native code, or why it cannot be run like this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JitError {
    pub text: String,
    /// The access that was stopped, if that is why.
    pub fault: Option<Box<Fault>>,
}

/// An access outside of its buffer, which checked code does not carry out: a mistake of this compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub site: Site,
    /// The element of the buffer, counted from its first.
    pub element: i64,
}

impl JitError {
    pub fn new(text: impl Into<String>) -> JitError {
        JitError { text: text.into(), fault: None }
    }
}

impl From<Fault> for JitError {
    fn from(fault: Fault) -> JitError {
        let Site { kernel, access, elements } = &fault.site;
        let name = &kernel.text;
        let text = format!("{access} in the kernel `{name}` is at {} of {elements} elements", fault.element);
        JitError { text, fault: Some(Box::new(fault)) }
    }
}

/// How the message of an error begins that is no fault of anybody: there is not enough memory.
const NO_MEMORY: &str = "no memory";

impl JitError {
    /// Whether there was not enough memory.
    pub fn is_no_memory(&self) -> bool {
        self.text.starts_with(NO_MEMORY)
    }
}

impl std::fmt::Display for JitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for JitError {}

/// The functions of a module in Cranelift's own text form.
///
/// # Errors
/// If Cranelift does not know the processor.
pub fn clif(module: &Module, target: Target) -> Result<String, JitError> {
    compile::Compiler::new(target, false)?.text(module, false)
}

/// The kernels of a module in the widest vectors that it has, as assembly, whatever this computer is.
///
/// # Errors
/// If a kernel has types that wide vectors do not have.
pub fn wide_asm(module: &Module) -> Result<String, JitError> {
    let Some(vectors) = wide::Vectors::with_lanes(module.lanes) else {
        return Ok("; kernels of 64-bit floats are made by Cranelift: stage asm\n".to_owned());
    };
    let mut text = String::new();
    for (number, kernel) in module.kernels.iter().enumerate() {
        text.push_str(&format!("; kernel k{number}\n{}\n", wide::text(kernel, vectors)?));
    }
    Ok(text)
}

/// The functions of a module as assembly by Cranelift.
///
/// # Errors
/// If Cranelift rejects a function.
pub fn asm(module: &Module, target: Target) -> Result<String, JitError> {
    compile::Compiler::new(target, false)?.text(module, true)
}
