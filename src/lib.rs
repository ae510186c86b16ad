//! `nnc` compiles `.nn` files, which describe a neural network, its data and its training, into native code.
//!
//! ```
//! let program = nnc::compile("
//!     model Xor(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }
//!     data xor {
//!         x = [[0, 0], [0, 1], [1, 0], [1, 1]]
//!         y = [[0], [1], [1], [0]]
//!     }
//!     train {
//!         data     = xor
//!         minimize binary_cross_entropy(Xor(x), y) with SGD(lr = 1.0)
//!         batch    = 4
//!         epochs   = 500
//!     }
//! ")?;
//! let mut session = program.session()?;
//! session.train(&mut nnc::Silent)?;
//!
//! let x = nnc::Tensor::floats(&[2, 2], &[0.0, 1.0, 1.0, 1.0])?;
//! let logits = session.predict("Xor", &[&x])?;
//! assert!(logits[0].number(0) > 0.0 && logits[0].number(1) < 0.0);
//! # Ok::<(), nnc::Diagnostics>(())
//! ```
//!
//! The language is described in `docs/language.md`, its library in `docs/library.md`.
//!
//! # At a glance
//!
//! | to do | call |
//! |---|---|
//! | compile a text or a file | [`compile`], `compile_file`, [`compile_with`] for [`Options`] and a [`World`] |
//! | parameters to train and ask | [`Program::session`], [`Program::session_with`] for rows of the host program |
//! | train | [`Session::train`], [`Session::run`] for the whole program |
//! | ask a model | [`Session::predict`], [`Session::predict_into`] without allocations |
//! | parameters and states | [`Session::save`], [`Session::load`], [`Session::parameter`], [`Session::set_parameter`] |
//! | losses and metrics | [`Session::evaluate`] |
//! | a model as C | [`export_c`] |
//!
//! # Data of the host program
//!
//! Fields of a `data` item that have a type and no value are [given](Given) by the program that embeds this one, for
//! training, validation and all else that reads data. They are checked as those of files are.
//!
//! ```
//! let program = nnc::compile("
//!     model Net(x: [B, 2]) -> [B, 3] { x |> Linear(16) |> tanh |> Linear(3) }
//!     data points {
//!         x: [2]
//!         y: class(3)
//!         split train = 0.75, test = 0.25
//!     }
//!     train {
//!         data     = points.train
//!         minimize cross_entropy(Net(x), y) with SGD(lr = 0.5)
//!         validate = points.test
//!         batch    = 8
//!         epochs   = 20
//!     }
//! ")?;
//! let kinds: Vec<i32> = (0..64).map(|row| row % 3).collect();
//! let places: Vec<f32> = kinds.iter().flat_map(|kind| [*kind as f32, 1.0]).collect();
//! let x = nnc::Tensor::floats(&[64, 2], &places)?;
//! let rows = nnc::Given::new().data("points", [("x", x), ("y", kinds.into())]);
//!
//! let mut session = program.session_with(rows)?;
//! let trained = session.train(&mut nnc::Silent)?.expect("the program has a `train`");
//! assert!(trained.validation.expect("it validates").loss() < 1.0);
//! # Ok::<(), nnc::Diagnostics>(())
//! ```
//!
//! # Watching a training
//!
//! An [`Observer`] hears of every [`Event`], and may end a training.
//!
//! ```
//! struct Losses(Vec<f64>);
//!
//! impl nnc::Observer for Losses {
//!     fn event(&mut self, event: &nnc::Event<'_>) {
//!         if let nnc::Event::Epoch(report) = event {
//!             self.0.push(report.train.loss());
//!         }
//!     }
//! }
//!
//! let program = nnc::compile("
//!     model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)
//!     data line {
//!         x = [[0], [1], [2], [3]]
//!         y = [[1], [3], [5], [7]]
//!     }
//!     train {
//!         data     = line
//!         minimize mse(Line(x), y) with SGD(lr = 0.05)
//!         batch    = 4
//!         epochs   = 30
//!     }
//! ")?;
//! let mut losses = Losses(Vec::new());
//! program.session()?.train(&mut losses)?;
//! assert!(losses.0.last() < losses.0.first());
//! # Ok::<(), nnc::Diagnostics>(())
//! ```
//!
//! # Errors
//!
//! What is wrong with a program, its data or its run is a list of [`Diagnostic`]s: each has a code, places, and says what
//! to do. As text they show the program.
//!
//! ```
//! let errors = nnc::compile("model Net(x: [B, 2]) -> [B, 3] = x |> Linear(4)").unwrap_err();
//! assert!(errors[0].is_error() && !errors[0].labels.is_empty());
//! assert!(errors.to_string().contains("Linear(4)"));
//! ```
//!
//! # A model within a program
//!
//! Two ways lead a trained model into a Rust program. Text and parameters can be a part of the program
//! (`include_str!`, `include_bytes!`), which compiles them when it starts, in milliseconds, and can train further. Or a
//! build script writes the model as C by [`export_c`], with a module of Rust that calls it: then nothing of `nnc` is in
//! the program. `examples/build-script` does both.
//!
//! # The world around
//!
//! Files, clock and threads come from a [`World`]: this computer, or with [`compile_with`] any other, such as files in
//! memory ([`MemoryWorld`]).
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | none | the language and the interpreter: no C code, no files but those that a [`World`] has, also for browsers |
//! | `system` | files, clock and threads of the computer (`NativeWorld`) |
//! | `native` | machine code for this computer; includes `system` |
//! | `object` | models as object files; includes `native` |
//! | `formats` | images and compressed files |
//! | `ndarray` | tensors from views of the crate `ndarray`, and such views of tensors |
//! | `cli` | the command `nnc`; includes `native`, `object` and `formats`. The default |
#![cfg_attr(not(test), warn(clippy::unwrap_used))]
#![warn(missing_docs)]

// What is inside may change with every version; tests, benches and the command use it.
//
// text ──syntax──▶ AST ──sema──▶ tensor IR ──grad──▶ tensor IR ──opt──▶ tensor IR ──plan──▶ kernels
//                                                                                      │
//                   results ◀──runtime── code ◀──backend── loop IR ◀──loops─────┘
//
// A folder imports only folders of lower rank (`tests/tidy.rs`).
macro_rules! internals {
    ($($(#[$feature:meta])* $name:ident)*) => {
        $(
            $(#[$feature])*
            #[doc(hidden)]
            #[allow(missing_docs, rustdoc::private_intra_doc_links, rustdoc::broken_intra_doc_links)]
            pub mod $name;
        )*
    };
}
internals! {
    backend
    base
    #[cfg(feature = "cli")]
    cli
    compile
    derive
    export
    grad
    ir
    loops
    opt
    plan
    runtime
    sema
    shard
    syntax
}
mod product;

// The grammar's parser is made for this crate where it has no standard library to lean on.
#[cfg(not(feature = "system"))]
extern crate alloc;

#[doc(inline)]
pub use base::{Diagnostic, FileId, Help, Label, Severity, SourceFile, SourceMap, Span};
#[doc(inline)]
pub use export::c::{Files as CFiles, Math as CMath, Options as COptions, Sizes as CSizes};
#[doc(inline)]
pub use ir::program::PlotKind;
#[doc(inline)]
pub use runtime::array::{Elements, ShapeError, Tensor};
#[doc(inline)]
pub use runtime::events::{
    Chart, EpochReport, Event, Exchanges, Observer, Reason, Scores, Silent, Start, StepReport, Trained,
};
#[doc(inline)]
pub use runtime::given::Given;
#[doc(inline)]
pub use runtime::given_errors::GivenError;
#[doc(inline)]
pub use runtime::options::Options;
#[doc(inline)]
pub use runtime::program::{Diagnostics, Program};
#[doc(inline)]
pub use runtime::session::Session;
#[doc(inline)]
pub use runtime::view::{ElementsView, TensorView};
#[doc(inline)]
pub use runtime::world::memory::MemoryWorld;
#[cfg(feature = "system")]
#[doc(inline)]
pub use runtime::world::native::NativeWorld;
#[doc(inline)]
pub use runtime::world::{Entry, Fill, Input, Stored, World};

/// Compiles the text of a program. Paths in it are relative to the current folder.
///
/// # Errors
/// All errors of the text, with their places.
pub fn compile(source: &str) -> Result<Program, Diagnostics> {
    Program::from_source(source)
}

/// Writes the model of a text as one file of C, its header, and a module of Rust that calls it: what a build script
/// takes into a program.
///
/// `weights` is a file of [`Session::save`]; a model without parameters needs none.
///
/// # Errors
/// All errors of the text; if more than one model could be meant, parameters are missing, or a size is open.
///
/// ```
/// let text = "model Double(x: [B, 2]) -> [B, 2] = 2 * x";
/// let options = nnc::COptions::new("double_it");
/// let files = nnc::export_c(text, &nnc::Options::new(), None, &options)?;
/// assert_eq!(files.names, ["double_it.h", "double_it.c"]);
/// assert!(files.header.contains("double_it_predict") && files.rust.is_some());
/// # Ok::<(), nnc::Diagnostics>(())
/// ```
pub fn export_c(
    source: &str,
    options: &Options,
    weights: Option<&std::path::Path>,
    written: &COptions,
) -> Result<CFiles, Diagnostics> {
    let program = Program::compile(source, options, &mut |_, file| {
        runtime::answers::asked::validate_somewhere(file);
        Vec::new()
    })?;
    let deployed = runtime::answers::deployed::Deployed::new(&program, weights, None, &mut Silent)?;
    export::c::write(&deployed, written)
}

/// Compiles a file. Paths in it are relative to its folder.
///
/// # Errors
/// E0701 if it cannot be read; all errors of its text.
pub fn compile_file(path: impl AsRef<std::path::Path>) -> Result<Program, Diagnostics> {
    Program::from_file(path.as_ref())
}

/// Compiles the text of a program, with more to say than [`compile`].
///
/// # Errors
/// All errors of the text, with their places.
pub fn compile_with(source: &str, options: &Options) -> Result<Program, Diagnostics> {
    Program::compile(source, options, &mut |_, _| Vec::new())
}

/// Compiles a file of the world that the options say.
///
/// # Errors
/// As [`compile_file`].
pub fn compile_file_with(
    path: impl AsRef<std::path::Path>,
    options: &Options,
) -> Result<Program, Diagnostics> {
    Program::from_file_with(path.as_ref(), options)
}

/// Formats the text of a program as `nnc fmt` does.
///
/// # Errors
/// What keeps the text from being a program.
pub fn format(source: &str) -> Result<String, Diagnostics> {
    syntax::format(source).map_err(|list| {
        let mut sources = SourceMap::default();
        sources.add("program.nn", source);
        Diagnostics { list, sources }
    })
}
