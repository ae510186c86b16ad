//! `nnc check`: all that can be known before running. Opens no data file.

use std::path::PathBuf;

use clap::Args;

use super::json::json_text;
use super::{Failure, input, report, say};
use crate::base::render::to_json;
use crate::runtime::program::Diagnostics;

/// Check names, shapes and roles without running anything.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc check digits.nn
  nnc check digits.nn --json        one JSON object for each error or warning")]
pub struct Check {
    /// The program; `-` for standard input.
    file: PathBuf,
    /// One JSON object a line for each diagnostic.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn carry_out(self) -> Result<(), Failure> {
        let (diagnostics, failed) = match input::compile(&self.file, &mut |_, _| Vec::new()) {
            Ok(program) => {
                let (list, sources) = (program.warnings().to_vec(), program.sources().clone());
                (Diagnostics { list, sources }, false)
            }
            Err(diagnostics) => (diagnostics, true),
        };
        if self.json {
            diagnostics.iter().for_each(|diagnostic| say(&json_text(&to_json(diagnostic, &diagnostics.sources))));
        } else if !diagnostics.is_empty() {
            report(&diagnostics);
        }
        if failed { Err(Failure::Silent) } else { Ok(()) }
    }
}
