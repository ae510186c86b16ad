//! Conditions, whole numbers and sizes that must be known at compile time, and what is said where they are not.

use crate::sema::build::Builder;
use crate::sema::value::Value;
use crate::base::{Cause, Diagnostic, Span};
use crate::ir::Dim;
use crate::syntax::ast;
use std::sync::Arc;

/// The greatest size of an axis.
const MAX_SIZE: i64 = i32::MAX as i64;

impl Builder<'_> {
    /// The value of a compile-time condition. `None` is reported.
    pub fn bool_of(&mut self, value: Value, condition: &ast::Expr, what: &str) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(value),
            Value::Error => None,
            other if other.is_run_time() => {
                let message = format!("{what} must be known at compile time, found {}", other.describe());
                let error = Diagnostic::error("E0117", message).because(Cause::NotKnown).at(condition.span, "not a compile-time bool");
                if let Some((name, list)) = self.list_in(condition) {
                    self.report(
                        error.note(format!("`{name}` is {}, where one number is compared", list.describe())),
                    );
                    return None;
                }
                self.report(error.help("`if c then a else b` chooses at run time, element by element"));
                None
            }
            other => {
                let message = format!("{what} must be true or false, found {}", other.describe());
                let error = Diagnostic::error("E0117", message).because(Cause::NotKnown);
                self.report(error.at(condition.span, format!("this is {}", other.describe())));
                None
            }
        }
    }

    /// A name in an expression that stands for a list.
    fn list_in(&self, expr: &ast::Expr) -> Option<(Arc<str>, Value)> {
        let mut found = None;
        crate::sema::walk::expr(expr, &mut |part| {
            let binding = part.as_name().and_then(|name| self.frame().find(name));
            if let Some(binding) = binding.filter(|it| found.is_none() && matches!(it.value, Value::List(_)))
            {
                found = Some((binding.name.clone(), binding.value.clone()));
            }
        });
        found
    }

    pub fn size_of(&mut self, value: &Value, what: &str, span: Span) -> Option<Dim> {
        let size = value.as_dim();
        match &size {
            Some(size) => {
                if size.as_number().is_some_and(|size| !(0..=MAX_SIZE).contains(&size)) {
                    let what = self.with_name(what, span);
                    let label = match size.as_number() {
                        Some(-1) => "an axis of any size has a name: `[B, 4]`",
                        _ => "a size lies between 0 and 2^31 - 1",
                    };
                    self.error("E0217", format!("{what} is {size}"), span, label);
                    return None;
                }
            }
            None => self.whole_error(value, what, span),
        }
        size
    }

    /// Reports that something is not a whole number known at compile time.
    pub fn whole_error(&mut self, value: &Value, what: &str, span: Span) {
        let what = self.with_name(what, span);
        match value {
            Value::Error => {}
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                let message = format!("{what} is the float {}", value.show());
                let error = Diagnostic::error("E0208", message).at(span, "a whole number is needed here");
                let (text, whole) = (self.text(span), format!("{number}"));
                self.report(match text.starts_with(|c: char| c.is_ascii_digit()) {
                    true => error.suggest("a number with a point or an exponent is a float", span, whole),
                    false => error.help(format!(
                        "it is made from a number with a point or an exponent; `{whole}` has neither"
                    )),
                });
            }
            Value::Float(number) if number.is_finite() => {
                let error =
                    Diagnostic::error("E0208", format!("{what} is {}, which is not whole", value.show()));
                let error = error.at(span, "a whole number is needed here");
                let text = self.text(span);
                self.report(match text.contains('/') && !text.contains('[') {
                    true => error.suggest("`floor(…)` rounds down", span, format!("floor({text})")),
                    false => error,
                });
            }
            other => {
                let message = format!(
                    "{what} must be a whole number known at compile time, found {}",
                    other.describe()
                );
                let label =
                    if other.is_run_time() { "not known at compile time" } else { "not a whole number" };
                self.report(Diagnostic::error("E0117", message).because(Cause::NotKnown).at(span, label));
            }
        }
    }

    /// "the dimension `out`" for "a dimension" where the text is a name.
    fn with_name(&self, what: &str, span: Span) -> String {
        let text = self.text(span);
        match what.strip_prefix("a ") {
            Some(kind) if crate::syntax::is_name(text) => format!("the {kind} `{text}`"),
            _ => what.to_string(),
        }
    }
}
