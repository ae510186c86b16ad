//! `nnc export`: a trained model in another form.

use std::path::{Path, PathBuf};

use clap::Args;

use super::backend;
use super::folder::{self, Model};
use super::input::DataFiles;
use super::progress::Terminal;
use super::stablehlo;
use super::{Failure, say};
use crate::backend::{Backend, best};
use crate::base::Diagnostic;
use crate::export::c::{self, Math, object};
use crate::export::onnx;
use crate::runtime::answers::deployed::Deployed;
use crate::runtime::program::Program;
use crate::runtime::world::native::write::write_atomically;

/// Export: a trained model as C, machine code or ONNX, a training as StableHLO.
#[derive(Args)]
#[command(after_help = "\
What the model has learnt from its data (means, names of classes) is exported with it.

The C is C99 without dependencies: one file and its header, no malloc, no stdio, parameters as constants, memory of
a size that is known.

The object file is machine code for processors like this one, or for those of `--backend`; its header has the
functions of the C.

The ONNX file is a graph of operators of version 17, for any number of rows.

Examples:
  nnc run penguins.nn --out runs/penguins
  nnc export runs/penguins --c firmware/penguins
  nnc export runs/penguins --onnx penguins.onnx
  nnc export runs/penguins --object build --backend avx2
  nnc export penguins.nn --weights p.safetensors --c firmware --name penguins
  nnc export runs/penguins --c firmware --train --lanes 1
  nnc export digits.nn --stablehlo digits-xla
  gcc -std=c99 -O3 -march=native -c firmware/penguins.c")]
pub struct Export {
    /// The program, or a folder that `nnc run` has kept.
    model: PathBuf,
    /// The folder for the C file and its header.
    #[arg(long, value_name = "FOLDER", required_unless_present_any = ["onnx", "stablehlo", "object"])]
    c: Option<PathBuf>,
    /// The folder for an object file of machine code and its header.
    #[arg(long, value_name = "FOLDER")]
    object: Option<PathBuf>,
    /// With `--object`: what makes the code [default: the best for this computer].
    #[arg(long, value_name = "NAME", requires = "object", value_parser = backend::names())]
    backend: Option<&'static dyn Backend>,
    /// The ONNX file.
    #[arg(long, value_name = "FILE")]
    onnx: Option<PathBuf>,
    /// The folder for the training step and the models as StableHLO, with starting values and some batches.
    #[arg(long, value_name = "FOLDER")]
    stablehlo: Option<PathBuf>,
    /// With `--stablehlo`: divide the rows of batches among so many devices (Shardy annotations).
    #[arg(long, value_name = "N", requires = "stablehlo", value_parser = clap::value_parser!(u32).range(1..))]
    mesh: Option<u32>,
    /// With `--stablehlo`: write the rows of so many steps.
    #[arg(long, value_name = "N", requires = "stablehlo", default_value_t = 10)]
    batches: u64,
    /// The parameters: a file of `nnc run --save` [default: the best of the folder].
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    data: DataFiles,
    /// The model, if the loss calls several.
    #[arg(long = "model", value_name = "NAME")]
    called: Option<String>,
    /// What files and functions are called [default: as the program].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// With `--c`: write training as well, starting values and a step, for training on the device.
    #[arg(long)]
    train: bool,
    /// Floats in a vector: 1 for processors without vectors, 4, 8 or 16.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = lanes)]
    lanes: u8,
    /// What computes exp, tanh and their like in C: `own` functions with the bits of nnc, or those of `math.h`.
    #[arg(long, value_name = "own|libm", default_value = "own", value_parser = math)]
    math: Math,
}

impl Export {
    pub fn carry_out(self) -> Result<(), Failure> {
        if self.train && self.c.is_none() {
            let message = "`--train` goes with `--c FOLDER`: object files and ONNX predict, StableHLO trains by itself; \
                           a C compiler makes an object file of the C: `gcc -c`";
            return Err(Failure::Usage(message.to_owned()));
        }
        let Model { program, weights } = folder::model(&self.model, self.weights.as_deref(), &self.data)?;
        if let Some(folder) = &self.stablehlo {
            stablehlo::write(&program, weights.as_deref(), folder, self.mesh, self.batches)?;
        }
        if self.c.is_none() && self.onnx.is_none() && self.object.is_none() {
            return Ok(());
        }
        let mut observer = Terminal::new(true, false, program.sources().clone());
        let deployed = Deployed::new(&program, weights.as_deref(), self.called.as_deref(), &mut observer)?;
        if let Some(folder) = &self.c {
            self.write_c(&program, &deployed, folder)?;
        }
        if let Some(folder) = &self.object {
            self.write_object(&program, &deployed, folder)?;
        }
        if let Some(path) = &self.onnx {
            write_onnx(&program, &deployed, path)?;
        }
        Ok(())
    }

    fn write_c(&self, program: &Program, deployed: &Deployed, folder: &Path) -> Result<(), Failure> {
        let options = c::Options::new(self.name()).lanes(self.lanes).train(self.train).math(self.math);
        let files = c::write(deployed, &options)?;
        let [header, code] = &files.names;
        write_into(program, folder, &[(header, files.header.as_bytes()), (code, files.code.as_bytes())])?;
        let c::Sizes { constants, memory } = files.sizes;
        say(&format!(
            "{} and {header}: {constants} bytes of constants, {memory} bytes of memory",
            folder.join(code).display()
        ));
        Ok(())
    }

    fn write_object(&self, program: &Program, deployed: &Deployed, folder: &Path) -> Result<(), Failure> {
        let backend = self.backend.unwrap_or_else(best);
        let files = object::write(deployed, &self.name(), backend)?;
        let [header, object] = &files.names;
        write_into(program, folder, &[(header, files.header.as_bytes()), (object, &files.object)])?;
        let c::Sizes { constants, memory } = files.sizes;
        say(&format!(
            "{} and {header}: code by {}, {constants} bytes of constants, {memory} bytes of memory",
            folder.join(object).display(),
            backend.name()
        ));
        Ok(())
    }

    fn name(&self) -> String {
        let stem = || {
            let whole = std::path::absolute(&self.model).unwrap_or_else(|_| self.model.clone());
            whole.file_stem().map(|stem| stem.to_string_lossy().into_owned())
        };
        self.name.clone().or_else(stem).unwrap_or_else(|| "network".to_owned())
    }
}

/// Writes files into a folder, which is made if it is not there.
fn write_into(program: &Program, folder: &Path, files: &[(&String, &[u8])]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| cannot(program, folder, &error))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        let written = write_atomically(&path, &mut |out| out.write_all(bytes));
        written.map_err(|error| cannot(program, &path, &error))?;
    }
    Ok(())
}

fn write_onnx(program: &Program, deployed: &Deployed, path: &Path) -> Result<(), Failure> {
    let file = onnx::write(deployed)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| cannot(program, folder, &error))?;
    }
    let written = write_atomically(path, &mut |out| out.write_all(&file.bytes));
    written.map_err(|error| cannot(program, path, &error))?;
    let (path, bytes, version) = (path.display(), file.bytes.len(), onnx::OPSET);
    say(&format!("{path}: {} nodes, {} constants, {bytes} bytes, operators of version {version}", file.nodes, file.constants));
    Ok(())
}

fn lanes(text: &str) -> Result<u8, String> {
    match text {
        "1" => Ok(1),
        "4" => Ok(4),
        "8" => Ok(8),
        "16" => Ok(16),
        _ => Err("there are 1, 4, 8 and 16".to_owned()),
    }
}

fn math(text: &str) -> Result<Math, String> {
    match text {
        "own" => Ok(Math::Own),
        "libm" => Ok(Math::Library),
        _ => Err("there are `own` and `libm`".to_owned()),
    }
}

fn cannot(program: &Program, path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write `{}`: {error}", path.display());
    program.failed([Diagnostic::error("E0714", message)]).into()
}
