//! The gradients of a program as mathematics, for programs that embed the library.

use super::program::{Diagnostics, Program};
use crate::base::Diagnostic;
use crate::derive;
use crate::ir::program::Action;

impl Program {
    /// The gradient of every loss as the compiler derives it, in the notation of textbooks: what `nnc derive` prints.
    ///
    /// # Errors
    /// If a loss has no derivative.
    pub fn derive(&self) -> Result<String, Diagnostics> {
        let mut pages = Vec::new();
        for action in &self.checked().actions {
            let Action::Train(train) = action else { continue };
            for (line, trained) in train.lines.iter().zip(&train.step.trained) {
                let words = self.sources().text(line.loss_span).split_whitespace();
                let loss = words.collect::<Vec<_>>().join(" ");
                let mut derivation = derive::derive(line, trained).map_err(|error| {
                    let message = format!("the loss has no derivative: {:?}", error.what);
                    self.failed([Diagnostic::fault(message).at(line.loss_span, "")])
                })?;
                derivation.say_loss(&loss);
                pages.push(derive::page::page(&derivation, &loss, &|_| None));
            }
        }
        Ok(pages.join("\n\n"))
    }
}
