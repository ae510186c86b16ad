//! `--backend`: what makes the code of a program.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::backend::{self, BACKENDS, Backend};
use crate::runtime::program::Program;

/// The choice of a back end.
#[derive(Args, Default)]
pub struct Choice {
    /// What makes the code [default: the best for this computer].
    #[arg(long, value_name = "NAME", value_parser = names())]
    backend: Option<&'static dyn Backend>,
}

impl Choice {
    pub fn apply(&self, program: &Program) {
        if let Some(backend) = self.backend {
            program.use_backend(backend);
        }
    }
}

/// Takes the names of the back ends of this build.
pub fn names() -> impl TypedValueParser<Value = &'static dyn Backend> {
    let names = PossibleValuesParser::new(BACKENDS.iter().map(|backend| backend.name()));
    names.try_map(|name| backend::find(&name).ok_or("no back end of this build"))
}
