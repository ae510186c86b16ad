//! `nnc explain`: what an error code means.

use clap::Args;

use super::{Failure, say};
use crate::base::{codes, nearest};

/// Tell what an error code means, with a wrong and a right example.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc explain E0203
  nnc explain              all codes with their titles")]
pub struct Explain {
    /// The code, E0203.
    code: Option<String>,
}

impl Explain {
    pub fn carry_out(self) -> Result<(), Failure> {
        let Some(code) = self.code else {
            codes::all().for_each(|code| say(&format!("{}  {}", code.code, code.title)));
            return Ok(());
        };
        let Some(found) = codes::find(&code) else {
            let near = nearest(&code.to_uppercase(), codes::all().map(|code| code.code));
            let near = near.map(|near| format!("; there is {near}")).unwrap_or_default();
            return Err(Failure::Usage(format!("there is no code `{code}`{near}")));
        };
        say(&format!("{}: {}\n\n{}", found.code, found.title, found.explain.trim_end()));
        Ok(())
    }
}
