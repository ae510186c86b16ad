//! `--backend`: what makes the code of a program.

use clap::Args;

use crate::backend::{self, BACKENDS, Backend};
use crate::runtime::program::Program;

/// The choice of a back end.
#[derive(Args, Default)]
pub struct Choice {
    /// What makes the code: interpreter (on any machine, slowly), cranelift, avx2 or avx512
    /// [default: the best for this computer].
    #[arg(long, value_name = "NAME", value_parser = find)]
    backend: Option<&'static dyn Backend>,
}

impl Choice {
    pub fn apply(&self, program: &Program) {
        if let Some(backend) = self.backend {
            program.use_backend(backend);
        }
    }
}

fn find(name: &str) -> Result<&'static dyn Backend, String> {
    backend::find(name).ok_or_else(|| {
        let names: Vec<&str> = BACKENDS.iter().map(|backend| backend.name()).collect();
        format!("there are {}", names.join(", "))
    })
}
