//! Single subscripts of whole tensors, `x[3]` and `x[n - 1]`: they drop their axis.

use super::Part;
use crate::base::{Diagnostic, Span};
use crate::ir::program::Bound;
use crate::ir::{Affine, Dim, Elem};
use crate::sema::elaborator::Elaborator;
use crate::sema::operators::interval_of;
use crate::sema::value::{Interval, Tensor, Value, show_axes};
use crate::syntax::ast;

impl Elaborator<'_> {
    /// A single subscript.
    pub(super) fn at_part(
        &mut self,
        at: &ast::Expr,
        size: &Dim,
        axis: usize,
        tensor: &Tensor,
        base_span: Span,
    ) -> Option<Part> {
        let value = self.expr(at, None);
        self.place_part(at, &value, size, axis, tensor, base_span)
    }

    /// The same for an elaborated subscript.
    pub(super) fn place_part(
        &mut self,
        at: &ast::Expr,
        value: &Value,
        size: &Dim,
        axis: usize,
        tensor: &Tensor,
        base_span: Span,
    ) -> Option<Part> {
        let outside = |place: &str| {
            Diagnostic::error("E0210", format!("subscript {place} of an axis of size {size}"))
                .at(at.span, format!("axis {axis} has the places 0 .. {size}"))
                .and_at(base_span, format!("this is {}", show_axes(tensor.ty.elem, &tensor.axes())))
        };
        match value {
            Value::Error => None,
            Value::Int(_) | Value::Ratio(..) => self.constant_index(at, value, size, &outside),
            Value::Tensor(index) if index.rank() == 0 && index.ty.elem == Elem::Int => {
                if !self.is_in_bounds_or_noted(at, value, index, size, &outside) {
                    return None;
                }
                Some(match &index.affine {
                    Some(affine) => Part::At(affine.clone()),
                    None => Part::Gather(index.clone()),
                })
            }
            Value::Tensor(index) if index.ty.elem == Elem::Int => {
                let found = show_axes(index.ty.elem, &index.axes());
                let message = format!("a tensor {found} as a subscript");
                let error = Diagnostic::error("E0223", message).at(at.span, "one place is needed here");
                self.report(
                    error.help("index notation takes elements at many places: `y[b, d] = table[ids[b], d]`"),
                );
                None
            }
            Value::Float(_) => {
                self.whole_error(value, "a subscript", at.span);
                None
            }
            other => {
                let message = format!("a subscript must be an int, found {}", other.describe());
                self.error("E0223", message, at.span, "not an int");
                None
            }
        }
    }

    /// A subscript that is known at compile time; a negative one counts from the end.
    fn constant_index(
        &mut self,
        at: &ast::Expr,
        value: &Value,
        size: &Dim,
        outside: &dyn Fn(&str) -> Diagnostic,
    ) -> Option<Part> {
        let Some(index) = value.as_dim() else {
            self.whole_error(value, "a subscript", at.span);
            return None;
        };
        let is_negative = index.as_number().is_some_and(|number| number < 0);
        let from_start = if is_negative { size + &index } else { index.clone() };
        let room = &(size - &from_start) - &Dim::ONE;
        let message = format!("the place {index} of an axis of size {size}");
        if !self.holds_or_waits(&[from_start.clone(), room], at.span, &message) {
            self.report(outside(&index.to_string()));
            return None;
        }
        Some(Part::At(Affine::constant(from_start)))
    }

    /// Whether a subscript known at run time is proven to be in bounds. If it comes from a field of the data, a
    /// bound is noted that the data is checked against; otherwise it is reported.
    fn is_in_bounds_or_noted(
        &mut self,
        at: &ast::Expr,
        value: &Value,
        index: &Tensor,
        size: &Dim,
        outside: &dyn Fn(&str) -> Diagnostic,
    ) -> bool {
        let interval = interval_of(value);
        let fits = interval.as_ref().is_some_and(|interval| {
            interval.least.at_least(&Dim::ZERO) && size.at_least(&(&interval.greatest + &Dim::ONE))
        });
        if fits {
            return true;
        }
        if let Some(field) = index.field.clone() {
            let below = Bound { below: size.clone(), span: at.span, is_declared: false };
            self.field_bounds.push((field, below));
            return true;
        }
        let text = self.text(at.span).to_string();
        let range = match &interval {
            Some(Interval { least, greatest }) => {
                format!("`{text}` lies in {least} .. {}", greatest + &Dim::ONE)
            }
            None => format!("nothing is known of the range of `{text}`"),
        };
        let error = outside(&format!("`{text}`")).note(range);
        self.report(error.help("`clamp(i, 0, n - 1)` keeps it inside"));
        false
    }
}
