//! Rank 5: from loop IR to code that runs.
//!
//! ```text
//! VerifiedModule ──Backend::compile──▶ Code ──run, over the caller's tensors──▶ results
//! ```
//!
//! A [`Backend`] says for which [`Target`] loops are to be made, and makes [`Code`] of them. It gets only what
//! [`loops::verify`](crate::loops::verify) has let through, so it need not ask again; what it cannot do all the
//! same it says by [`CodeError`], never by other results. [`BACKENDS`] lists them all:
//!
//! | folder | back end | steps are carried out by |
//! |---|---|---|
//! | [`interpreter`] | `interpreter`: on any machine, in safe code | [`driver`] |
//! | `native/cranelift` | `cranelift`: machine code, vectors of 128 bits | a function of machine code |
//! | `native/avx` | `avx2`, `avx512`: machine code, wide vectors | the same |
//!
//! A new back end that has code for kernels only gets whole steps from [`driver`].

mod bindings;
pub mod c;
pub mod driver;
mod error;
mod facts;
pub mod host;
pub mod interpreter;
#[cfg(feature = "native")]
pub mod native;
pub mod object;
mod parallel;
mod series;
#[cfg(all(test, feature = "native"))]
mod tests;

pub use bindings::{Binding, TensorMut, TensorRef};
pub use error::{CodeError, Failure, Fault};
pub use facts::Facts;
pub(crate) use parallel::sealed;
pub use parallel::{Alone, Parallel};
pub use series::{Call, Give, Outcome, Overflow, Rows, RunContext, Series, Workspace};

use crate::ir::program::Precision;
use crate::loops::{Target, VerifiedModule};
use std::fmt;

/// Makes code of loops.
pub trait Backend: Sync {
    /// As `--backend` calls it.
    fn name(&self) -> &'static str;

    /// The machine that it makes code for, of programs in this precision.
    fn target(&self, precision: Precision) -> Target;

    /// Makes code of a module that was lowered for its target.
    ///
    /// # Errors
    /// If this computer cannot run it, or memory is short.
    fn compile(&self, module: &VerifiedModule, options: Options) -> Result<Box<dyn Code>, CodeError>;

    /// Whether its code is that of a processor, which can be put into object files ([`Backend::object`]).
    fn is_machine_code(&self) -> bool {
        false
    }

    /// An object file with functions of modules that were lowered for its target, for other programs.
    ///
    /// # Errors
    /// If its code has no such form, or a module does something that needs nnc.
    fn object(&self, _object: &object::Object<'_>) -> Result<Vec<u8>, CodeError> {
        Err(CodeError::unsupported(format!("`{}` does not write object files", self.name())))
    }

    /// The code of a module to be read, whether or not this computer can run it.
    ///
    /// # Errors
    /// If it has no such form, or cannot be made.
    fn text(&self, _module: &VerifiedModule, form: Form) -> Result<String, CodeError> {
        Err(CodeError::unsupported(format!("code of `{}` has no text of the kind {form:?}", self.name())))
    }
}

/// How code is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// In the code generator's own language.
    Intermediate,
    Assembly,
}

/// How to compile.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Say after each kernel that it is done: see [`RunContext::watch`].
    pub profiled: bool,
}

/// The code of a module. It may be shared between threads; each call works on a [`Workspace`] of its own.
pub trait Code: Send + Sync {
    fn facts(&self) -> &Facts;

    /// Memory for calls.
    ///
    /// # Errors
    /// If there is not enough.
    fn workspace(&self) -> Result<Workspace, CodeError>;

    /// Carries out a series of steps: batches are gathered from columns ([`Binding::Rows`]), values of each step are
    /// put one behind another ([`Binding::Each`]). Where an int leaves 64 bits, results mean nothing.
    ///
    /// # Errors
    /// If a binding does not fit its external or the series, or checked code stops an access.
    fn run(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        cx: RunContext<'_>,
    ) -> Result<Outcome, CodeError>;
}

impl dyn Code + '_ {
    /// Carries out one step. Says whether an int has left 64 bits: then the results mean nothing.
    ///
    /// # Errors
    /// As [`Code::run`].
    pub fn step(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        call: Call,
        parallel: &dyn Parallel,
    ) -> Result<Option<Overflow>, CodeError> {
        Ok(match self.series(workspace, bindings, Series::once(call), parallel)? {
            Outcome::Overflow { site, .. } => Some(site),
            Outcome::Done | Outcome::Interrupted { .. } | Outcome::NotFinite { .. } => None,
        })
    }

    /// Carries out a series that nobody watches.
    ///
    /// # Errors
    /// As [`Code::run`].
    pub fn series(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        parallel: &dyn Parallel,
    ) -> Result<Outcome, CodeError> {
        self.run(workspace, bindings, series, RunContext { parallel, watch: None, results: None })
    }
}

impl fmt::Debug for dyn Code + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("externals", &self.facts().externals).finish_non_exhaustive()
    }
}

/// All back ends of this build, the best last.
pub static BACKENDS: &[&dyn Backend] = &[
    &interpreter::INTERPRETER,
    #[cfg(feature = "native")]
    &native::CRANELIFT,
    #[cfg(feature = "native")]
    &native::AVX2,
    #[cfg(feature = "native")]
    &native::AVX512,
];

/// The back ends whose code this computer can run, the best last.
pub fn available() -> impl DoubleEndedIterator<Item = &'static dyn Backend> {
    BACKENDS.iter().copied().filter(|backend| host::suits(&backend.target(Precision::F32)))
}

/// The back end of this name.
pub fn find(name: &str) -> Option<&'static dyn Backend> {
    BACKENDS.iter().copied().find(|backend| backend.name() == name)
}

/// The best back end for this computer.
pub fn best() -> &'static dyn Backend {
    available().next_back().unwrap_or(&interpreter::INTERPRETER)
}

impl PartialEq for dyn Backend + '_ {
    fn eq(&self, other: &(dyn Backend + '_)) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Backend + '_ {}

impl fmt::Debug for dyn Backend + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
