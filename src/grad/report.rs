//! A missing derivative as a message.

use super::{GradError, NoDerivative};
use crate::base::Diagnostic;

impl GradError {
    /// The error at the user's text. `by` names the variable.
    pub fn diagnostic(&self, by: &str) -> Diagnostic {
        let place = self.origin.span;
        let made = |what: &str| {
            Diagnostic::error("E0401", format!("`{what}` has no derivative"))
                .at(place, "on the way to the result")
                .help("`stop_gradient(x)` makes it a constant; an activation may give its own `gradient`")
        };
        match self.what {
            NoDerivative::Floor => made("floor"),
            NoDerivative::Ceil => made("ceil"),
            NoDerivative::Round => made("round"),
            NoDerivative::OnlyThroughConditions => {
                let message =
                    format!("the result depends on `{by}` only through conditions or whole numbers");
                let error =
                    Diagnostic::error("E0402", message).at(place, "its derivative is zero everywhere");
                error.help(
                    "an activation may give its own: `activation step(v) = if v > 0 then 1 else 0  gradient …`",
                )
            }
        }
    }
}
