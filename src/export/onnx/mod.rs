//! A model as an ONNX file: for other runtimes, browsers, and whatever reads the format.
//!
//! ```text
//! columns ──preparation, in 64 bits──▶ fields ──the model's graph──▶ results
//! ```
//!
//! | file | does |
//! |---|---|
//! | `model` | inputs, outputs, what is known of them |
//! | `nodes` | the tensor graph node by node; what depends on parameters alone is computed |
//! | [`loops`] | a loop: scalars over its domain, what is combined, where it is written |
//! | `layout`, `reads`, `scalars` | tensors over a domain; elements that are read; operations |
//! | `pieces`, `products`, `windows`, `transposed`, `scatters`, `scans`, `recurrent` | loops that an operator of ONNX is |
//! | `simplify`, `affine`, `normalise` | several nodes that an operator of ONNX is: `Softmax`, `Conv`, `LayerNormalization` |
//! | `writer`, `ops`, `cx`, `tensors` | where nodes and constants are added |
//! | [`graph`], `wire` | the parts of a model, and their bytes |

mod affine;
mod cx;
pub mod graph;
mod layout;
mod loops;
mod model;
mod nodes;
mod normalise;
mod ops;
mod pieces;
mod products;
mod reads;
mod recurrent;
mod scalars;
mod scans;
mod scatters;
mod simplify;
mod tensors;
mod transposed;
mod windows;
mod wire;
mod writer;

use crate::base::Diagnostic;
use crate::export::nodes::Refusal;
use crate::runtime::answers::deployed::Deployed;
use crate::runtime::program::Diagnostics;
pub use wire::OPSET;

/// The bytes of a file, and what is in it.
pub struct File {
    pub bytes: Vec<u8>,
    pub nodes: usize,
    pub constants: usize,
}

/// Writes a trained model.
///
/// # Errors
/// If it does something that ONNX has no operators for.
pub fn write(deployed: &Deployed) -> Result<File, Diagnostics> {
    let model = model::model(deployed).map_err(|error| failed(deployed, error))?;
    let constants = model.graph.initializers.iter().map(|(_, tensor)| tensor.data.len()).sum();
    Ok(File { bytes: wire::bytes(&model), nodes: model.graph.nodes.len(), constants })
}

fn failed(deployed: &Deployed, refusal: Refusal<String>) -> Diagnostics {
    let model = &deployed.model;
    let place = refusal.part().map_or_else(|| format!("`{model}`"), |part| format!("`{part}` of `{model}`"));
    let message = format!("{place} cannot be written as ONNX: it needs {}", refusal.what);
    let error = refusal.point_out(Diagnostic::error("E0870", message), "this is what ONNX has no operators for");
    let help = "export a model that does without, or write C, which can do everything: `nnc export --c FOLDER`";
    deployed.program.failed([error.help(help)])
}
