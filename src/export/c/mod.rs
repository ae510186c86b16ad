//! A model as one file of C99 and its header: no memory is allocated, nothing is printed, nothing is included but
//! `math.h`, `stddef.h` and `stdint.h`.
//!
//! ```text
//! NAME_predict(memory, row, result)
//!     row: columns of the data ──NAME_prepare, in doubles──▶ fields ──NAME_model──▶ result
//! ```

pub mod api;
mod classes;
mod file;
pub mod object;
mod preamble;
mod rust;
pub mod train;
mod values;

use crate::backend::c::names::identifier;
use crate::backend::{CodeError, c};
use crate::base::Diagnostic;
use crate::runtime::answers::deployed::Deployed;
use crate::loops::Target;
use crate::runtime::program::Diagnostics;

/// How a model is written: `COptions::new("flowers").lanes(4).math(CMath::Library)`.
#[derive(Clone, Debug)]
pub struct Options {
    name: String,
    lanes: u8,
    train: bool,
    math: Math,
}

/// What computes exp, log, sin, cos, tanh, erf and powers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Math {
    /// Arithmetic that stands in the file: the same bits everywhere, and vectors.
    #[default]
    Own,
    /// The functions of `math.h`.
    Library,
}

impl Options {
    /// What files are called, and what all names in them begin with; with vectors of 8 floats and arithmetic of their
    /// own.
    pub fn new(name: impl Into<String>) -> Options {
        Options { name: name.into(), lanes: 8, train: false, math: Math::default() }
    }

    /// The number of floats in a vector; 1 for processors without them.
    #[must_use]
    pub fn lanes(self, lanes: u8) -> Options {
        Options { lanes, ..self }
    }

    /// Whether training is written as well.
    #[must_use]
    pub fn train(self, train: bool) -> Options {
        Options { train, ..self }
    }

    /// What computes elementary functions.
    #[must_use]
    pub fn math(self, math: Math) -> Options {
        Options { math, ..self }
    }

    /// What loops are made for, with vectors of so many floats.
    fn target(&self, lanes: u8) -> Target {
        Target { own_math: self.math == Math::Own, ..c::target(lanes) }
    }
}

/// The two files.
#[derive(Debug)]
#[non_exhaustive]
pub struct Files {
    /// `iris.h`, `iris.c`
    pub names: [String; 2],
    pub header: String,
    pub code: String,
    /// The functions as a module of Rust, for `include!`; none with training.
    pub rust: Option<String>,
    pub sizes: Sizes,
}

/// What a model takes of a machine, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Sizes {
    /// Parameters and tables.
    pub constants: i64,
    /// The memory that the caller gives.
    pub memory: i64,
}

/// Writes a trained model.
///
/// # Errors
/// If a size of the model is open.
pub fn write(deployed: &Deployed, options: &Options) -> Result<Files, Diagnostics> {
    let name = identifier(&options.name).to_lowercase();
    let options = Options { name, ..options.clone() };
    file::write(deployed, &options)
}

fn failed(deployed: &Deployed, error: &CodeError) -> Diagnostics {
    deployed.program.failed([Diagnostic::error("E0792", format!("a fault of nnc: {}", error.text))])
}
