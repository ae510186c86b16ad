//! Ints that are declared as `class(n)`.

use crate::sema::scope::report::types::TypeError;
use crate::base::Span;
use crate::ir::Dim;
use crate::ir::program::Bound;
use crate::sema::build::Builder;
use crate::sema::build::operators::{interval_of, with_interval};
use crate::sema::value::{Interval, Tensor, Value};

impl Builder<'_> {
    /// The same as [`Builder::with_class`], where the n, if there is one, is a size.
    pub fn within_class(
        &mut self,
        value: Value,
        class: Option<&Dim>,
        what: &str,
        span: Span,
        declared: Span,
    ) -> Value {
        match class {
            Some(size) => self.with_class_size(value, size, what, span, declared),
            None => value,
        }
    }

    pub fn with_class_size(
        &mut self,
        value: Value,
        size: &Dim,
        what: &str,
        span: Span,
        declared: Span,
    ) -> Value {
        let interval = interval_of(&value);
        let fits = interval
            .as_ref()
            .is_some_and(|values| values.least.at_least(&Dim::ZERO) && size.at_least(&(&values.greatest + &Dim::ONE)));
        if fits || value.is_error() {
            return value;
        }
        let field = match &value {
            Value::Tensor(Tensor { field, .. }) => field.clone(),
            _ => None,
        };
        // What the type of a field says counts.
        let field = field.filter(|_| !interval.as_ref().is_some_and(|values| values.greatest.at_least(size)));
        match field {
            Some(field) => {
                self.conditions
                    .ints
                    .push((field, Bound { below: size.clone(), span: declared, is_declared: false }));
                with_interval(value, Some(Interval::below(size)))
            }
            None => {
                let (what, classes) = (what.to_owned(), size.clone());
                self.report(TypeError::Class { what, classes, values: interval, at: span, declared })
            }
        }
    }
}
