//! A model as machine code: an object file, and a header with the functions around it.
//!
//! ```text
//! header: NAME_predict(memory, row, result)     in C, as the exported C has it
//!             └─▶ NAME_prepare, NAME_model      in the object file
//! ```

use super::api::Api;
use super::file::{END_OF_HEADER, File, Frame, RESULT_MARK};
use super::{Options, Sizes, failed};
use crate::backend::c::names::identifier;
use crate::backend::object::{Function, Object, Source};
use crate::backend::{Backend, CodeError};
use crate::base::Diagnostic;
use crate::ir::program::Precision;
use crate::loops::Target;
use crate::runtime::answers::deployed::Deployed;
use crate::runtime::program::Diagnostics;

/// The two files.
#[derive(Debug)]
pub struct ObjectFiles {
    /// `iris.h`, `iris.o`
    pub names: [String; 2],
    pub header: String,
    pub object: Vec<u8>,
    pub sizes: Sizes,
}

/// What is to become machine code.
pub struct Machine {
    backend: &'static dyn Backend,
    /// Constants by their names, as they lie in memory.
    pub constants: Vec<(String, Vec<u8>)>,
    functions: Vec<Entry>,
}

/// A function of the object file.
struct Entry {
    symbol: String,
    /// As C declares it.
    declaration: String,
    /// The tensors of its module, as [`Frame`] names them.
    externals: Vec<String>,
    parameters: Vec<String>,
}

impl Machine {
    /// Products are loops as all else, since no function of nnc is there.
    pub fn target(&self, precision: Precision) -> Target {
        Target { products: false, ..self.backend.target(precision).as_kernels() }
    }

    /// Notes a function.
    pub fn take(&mut self, symbol: &str, frame: &Frame) {
        self.functions.push(Entry {
            symbol: symbol.to_owned(),
            declaration: format!("int {symbol}({});\n", frame.parameters.join(", ")),
            externals: frame.externals.clone(),
            parameters: frame.names.clone(),
        });
    }

    /// Where a function finds a tensor.
    fn source(&self, entry: &Entry, external: &str) -> Result<Source, CodeError> {
        let parameter = entry.parameters.iter().position(|name| name == external).map(Source::Parameter);
        let constant = || self.constants.iter().position(|(name, _)| name == external).map(Source::Constant);
        parameter
            .or_else(constant)
            .ok_or_else(|| CodeError::internal(format!("{} does not know `{external}`", entry.symbol)))
    }
}

/// Writes a trained model as machine code.
///
/// # Errors
/// If a size of the model is open, or the back end cannot write it.
pub fn write(
    deployed: &Deployed,
    name: &str,
    backend: &'static dyn Backend,
) -> Result<ObjectFiles, Diagnostics> {
    let name = identifier(name).to_lowercase();
    let options = Options::new(name.clone()).lanes(1);
    let mut api = Api::of(deployed);
    let machine = Machine { backend, constants: Vec::new(), functions: Vec::new() };
    let mut file = File {
        deployed,
        prefix: format!("{name}_"),
        options: &options,
        network: None,
        constants: String::new(),
        constant_bytes: 0,
        machine: Some(machine),
    };
    let model = file.model(&mut api)?;
    let preparation = match &deployed.preparation {
        Some(preparation) => Some(file.preparation(preparation, &api)?),
        None => None,
    };
    let parts: Vec<_> = [&model].into_iter().chain(&preparation).collect();
    let (memory, bytes) = file.memory(&parts, &api, preparation.as_ref());
    let sizes = Sizes { constants: file.constant_bytes, memory: bytes };
    let (header, around) = (file.header(&api, &memory, sizes), file.around(&api, preparation.as_ref(), &model));
    let Some(machine) = file.machine.take() else { return Err(failed(deployed, &CodeError::internal("no machine"))) };
    let mut functions = Vec::new();
    for (entry, part) in machine.functions.iter().zip(&parts) {
        let sources = entry.externals.iter().map(|external| machine.source(entry, external));
        let sources = sources.collect::<Result<_, _>>().map_err(|error| failed(deployed, &error))?;
        let (symbol, parameters) = (entry.symbol.clone(), entry.parameters.len());
        functions.push(Function { symbol, module: &part.module, sources, parameters });
    }
    let constants = machine.constants.iter().map(|(_, bytes)| bytes.clone()).collect();
    let object = Object { name: name.clone(), functions, constants };
    let object = backend.object(&object).map_err(|error| refused(deployed, &error))?;
    Ok(ObjectFiles { names: [format!("{name}.h"), format!("{name}.o")], header: with_code(&header, &machine, &around), object, sizes })
}

/// The header with what the object file has, and with the functions around it.
fn with_code(header: &str, machine: &Machine, around: &str) -> String {
    let declarations = machine.functions.iter().map(|entry| entry.declaration.as_str());
    let target = machine.target(Precision::F32);
    let features: Vec<&str> = target.features.iter().map(|feature| feature.name()).collect();
    let processors = match features.as_slice() {
        [] => std::env::consts::ARCH.to_owned(),
        features => format!("{} with {}", std::env::consts::ARCH, features.join(", ")),
    };
    let declared = format!(
        "/* The code of the object file, for {processors}: called by the functions below. The memory may\n\
         \x20  lie anywhere, tensors where C puts arrays of their type. 0, or 1 if a whole number has left 64 bits. */\n{}\n",
        declarations.collect::<String>()
    );
    header
        .replacen("#include <stddef.h>", "#include <math.h>\n#include <stddef.h>", 1)
        .replacen(RESULT_MARK, &declared, 1)
        .replacen(END_OF_HEADER, &format!("{around}\n{END_OF_HEADER}"), 1)
}

fn refused(deployed: &Deployed, error: &CodeError) -> Diagnostics {
    let message = format!("`{}` cannot be written as an object file: {}", deployed.model, error.text);
    let help = "write C, which can do everything: `nnc export --c FOLDER`";
    deployed.program.failed([Diagnostic::error("E0937", message).help(help)])
}
