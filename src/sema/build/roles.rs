//! What the value of a body must be by its role: an activation keeps the shape, a loss is a scalar.

use crate::base::{Diagnostic, Span};
use crate::ir::Elem;
use crate::sema::build::Builder;
use crate::sema::value::Value;
use crate::syntax::ast::{self, Role};

impl Builder<'_> {
    /// An activation's value with the shape of its argument.
    pub fn keep_shape(
        &mut self,
        value: Value,
        argument: &Value,
        definition: &ast::Definition,
        place: Span,
    ) -> Option<Value> {
        match (&value, argument) {
            (Value::Error, _) => None,
            (Value::Tensor(tensor), Value::Tensor(given)) if tensor.ty.shape == given.ty.shape => Some(value),
            (number, Value::Tensor(given)) if number.is_number() => {
                Some(Value::Tensor(self.fill(number, Elem::Float, &given.axes(), place)))
            }
            (Value::Indexed(_), Value::Indexed(_)) => Some(value),
            (result, given) if result.is_number() && !matches!(given, Value::Tensor(_)) => Some(value),
            (Value::Tensor(tensor), given) if tensor.rank() == 0 && given.is_number() => Some(value),
            (result, given) => {
                let message = format!("the activation `{}` does not keep the shape", definition.name);
                let error =
                    Diagnostic::error("E0111", message).at(place, format!("gives {}", result.describe()));
                self.report(
                    error
                        .note(format!("its argument is {}", given.describe()))
                        .help("`fn` declares a function of whole tensors"),
                );
                None
            }
        }
    }

    /// A loss, metric or schedule is a scalar.
    pub fn check_role(&mut self, value: Value, definition: &ast::Definition, name: &str) -> Value {
        let code = match definition.role {
            Role::Loss => "E0112",
            Role::Metric => "E0113",
            Role::Schedule => "E0115",
            _ => return value,
        };
        let role = definition.role.keyword();
        let place = body_value_span(&definition.body);
        match &value {
            Value::Error => Value::Error,
            Value::Tensor(tensor) if tensor.rank() == 0 && tensor.ty.elem == Elem::Float => value,
            Value::Tensor(tensor) if tensor.rank() == 0 => {
                match self.with_elem(tensor.clone(), Elem::Float, place) {
                    Some(tensor) => Value::Tensor(tensor),
                    None => Value::Error,
                }
            }
            Value::Int(_) | Value::Ratio(..) | Value::Float(_) => value,
            other => {
                let message = format!("the {role} `{name}` must be a scalar, found {}", other.describe());
                let error =
                    Diagnostic::error(code, message).at(place, format!("this is {}", other.describe()));
                let error = error.and_at(definition.name.span, format!("declared as a {role}"));
                self.report(error.help("`mean(…)` or `sum(…)` makes one number of it"));
                Value::Error
            }
        }
    }
}

/// The place of a body's value.
pub fn body_value_span(body: &ast::Block) -> Span {
    body.value.as_ref().map_or(body.span, |value| value.span)
}
