//! `nnc ir`: a program as a stage of the compiler sees it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Failure, input, say};
use crate::base::SourceMap;
use crate::compile::{self, Stage};
use crate::runtime::program::{Diagnostics, Files};

/// Print what the compiler made of a program.
#[derive(Args)]
#[command(after_help = "\
Stages:
  ast    the syntax tree
  ir     forward graphs: what losses and metrics need
  grad   with gradients and updates, as they were made
  opt    simplified, for the batch size of the program
  plan   kernels and buffers
  loops  loop nests
  clif   Cranelift's intermediate form
  asm    machine code by Cranelift
  avx2   machine code of the kernels for processors with AVX2
  avx512 the same for processors with AVX-512

Example:
  nnc ir models/xor.nn --stage opt")]
pub struct Ir {
    /// The program; `-` for standard input.
    file: PathBuf,
    /// The stage to print.
    #[arg(long, value_name = "STAGE", default_value = "ir",
          value_parser = PossibleValuesParser::new(Stage::ALL.map(Stage::name)))]
    stage: String,
}

impl Ir {
    pub fn carry_out(self) -> Result<(), Failure> {
        let stage = Stage::from_name(&self.stage).unwrap_or(Stage::Ir);
        let input = input::read(&self.file)?;
        let mut sources = SourceMap::default();
        let file = sources.add(input.name, input.text);
        match compile::show(&mut sources, file, &mut Files, stage) {
            Ok(text) => say(text.trim_end()),
            Err(list) => return Err(Diagnostics { list, sources }.into()),
        }
        Ok(())
    }
}
