//! `nnc fmt`: programs in the one form.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{complain, put};
use super::{Failure, input, report};
use crate::base::{Diagnostic, SourceMap};
use crate::runtime::program::Diagnostics;
use crate::runtime::world::native::write::write_atomically;
use crate::syntax;

/// Format programs in place.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc fmt models/*.nn
  nnc fmt --check models/*.nn       say which files are not formatted, change none
  nnc fmt - < a.nn                  from standard input to standard output")]
pub struct Fmt {
    /// The programs; `-` for standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; end with 1 if a file is not formatted.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub fn carry_out(self) -> Result<(), Failure> {
        let mut failed = false;
        for file in &self.files {
            failed |= !self.format(file)?;
        }
        if failed { Err(Failure::Silent) } else { Ok(()) }
    }

    /// Whether all is well with a file.
    fn format(&self, path: &Path) -> Result<bool, Failure> {
        let input = input::read(path)?;
        let mut sources = SourceMap::default();
        sources.add(input.name.as_str(), input.text.as_str());
        let formatted = match syntax::format(&input.text) {
            Ok(text) => text,
            Err(list) => {
                report(&Diagnostics { list, sources });
                return Ok(false);
            }
        };
        if path == Path::new("-") && !self.check {
            put(&formatted);
            return Ok(true);
        }
        if formatted == input.text {
            return Ok(true);
        }
        if self.check {
            complain(&format!("{} is not formatted", input.name));
            return Ok(false);
        }
        match write_atomically(path, &mut |out| out.write_all(formatted.as_bytes())) {
            Ok(()) => Ok(true),
            Err(error) => {
                let message = format!("cannot write `{}`: {error}", path.display());
                report(&Diagnostics { list: vec![Diagnostic::error("E0714", message)], sources });
                Ok(false)
            }
        }
    }
}
