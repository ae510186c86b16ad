//! What the value of a body must be by its role: an activation keeps the shape, a loss is a scalar.

use crate::sema::scope::report::roles::RoleError;
use crate::base::Span;
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
                let (activation, argument) = (definition.name.clone(), given.clone());
                let result = result.clone();
                self.report(RoleError::ShapeNotKept { activation, result, argument, at: place });
                None
            }
        }
    }

    /// A loss, metric or schedule is a scalar.
    pub fn check_role(&mut self, value: Value, definition: &ast::Definition) -> Value {
        if !matches!(definition.role, Role::Loss | Role::Metric | Role::Schedule) {
            return value;
        }
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
            _ => {
                let (role, name) = (definition.role, definition.name.clone());
                self.report(RoleError::NotScalar { role, name, found: value, at: place })
            }
        }
    }
}

/// The place of a body's value.
pub fn body_value_span(body: &ast::Block) -> Span {
    body.value.as_ref().map_or(body.span, |value| value.span)
}
