//! Results: the expected type that a written type hands down to the body (bidirectional checking), and the check of
//! the value against it.

use crate::sema::scope::report::shapes::Shape;
use crate::sema::scope::report::types::TypeError;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::body::signature::{class_of, elem_of_type};
use crate::sema::value::Value;
use crate::base::Span;
use crate::ir::{Dim, Elem};
use crate::syntax::ast::{self, DimKind, ExprKind, TypeKind};

impl Elaborator<'_> {
    /// What the written type of a result hands down to the body, where all its names are known.
    pub fn expected_result(&mut self, ty: Option<&ast::Type>) -> Option<Expected> {
        let TypeKind::Tensor { element, dims } = &ty?.kind else { return None };
        for dim in dims {
            let known = match &dim.kind {
                DimKind::Stretch => true,
                DimKind::Pack(Some(name)) => self.frame().find(&name.text).is_some(),
                DimKind::Pack(None) => false,
                DimKind::Size(size) => self.names_known(size),
            };
            if !known {
                return None;
            }
        }
        // Errors in the type are reported when the result is checked.
        let errors = self.reports.len();
        let axes = self.declared_axes(dims);
        self.reports.truncate(errors);
        Some(Expected { elem: Some(elem_of_type(element)), axes: axes? })
    }

    fn names_known(&mut self, expr: &ast::Expr) -> bool {
        let mut known = true;
        let mut check = |size: &ast::Expr| {
            if let ExprKind::Name(name) = &size.kind {
                known &= self.frame().find(name).is_some() || crate::sema::build::builtins::find(name).is_some();
            }
        };
        crate::sema::walk::expr(expr, &mut check);
        known
    }

    /// Checks a result against its written type, and gives it the stretchable axes that it declares.
    pub fn check_result(&mut self, value: Value, ty: &ast::Type, callee: &str, span: Span) -> Value {
        match (&ty.kind, &value) {
            (_, Value::Error) => Value::Error,
            // A list of as many values, such as `split` gives, is taken apart like a tuple.
            (TypeKind::Tuple(types), Value::Tuple(items) | Value::List(items)) => {
                if types.len() != items.len() {
                    return self.report(TypeError::NumberOfResults {
                        callee: callee.to_owned(),
                        given: items.len(),
                        wanted: types.len(),
                        at: span,
                        declared: ty.span,
                    });
                }
                let checked: Vec<Value> = types
                    .iter()
                    .zip(items.iter())
                    .map(|(ty, item)| self.check_result(item.clone(), ty, callee, span))
                    .collect();
                Value::Tuple(checked.into())
            }
            (TypeKind::Tuple(types), _) => self.report(TypeError::OneResult {
                callee: callee.to_owned(),
                found: value,
                wanted: types.len(),
                at: span,
                declared: ty.span,
            }),
            (TypeKind::Tensor { element, dims }, _) => {
                self.check_tensor_result(value, element, dims, ty, callee, span)
            }
        }
    }

    fn check_tensor_result(
        &mut self,
        value: Value,
        element: &ast::Element,
        dims: &[ast::Dim],
        ty: &ast::Type,
        callee: &str,
        span: Span,
    ) -> Value {
        let elem = elem_of_type(element);
        let open_pack = dims.iter().position(|dim| matches!(dim.kind, DimKind::Pack(None)));
        let what = format!("the result of `{callee}`");
        let scalar = dims.is_empty();
        if scalar && (value.is_number() || matches!(value, Value::Indexed(_))) {
            let of_value = crate::sema::build::operators::elem_of(&value).unwrap_or(elem);
            if of_value == elem || (elem == Elem::Float && value.is_number()) {
                return match (elem, &value) {
                    (Elem::Float, Value::Int(_)) => value.as_float().map_or(value, Value::Float),
                    _ => value,
                };
            }
        }
        let expected = match open_pack {
            None => match self.declared_axes(dims) {
                Some(axes) => Expected { elem: Some(elem), axes },
                None => return Value::Error,
            },
            Some(at) => {
                // `...` stands for whatever leading axes the result has.
                let Some(tensor) = self.to_tensor(&value, span) else { return Value::Error };
                let (Some(before), Some(after)) =
                    (self.declared_axes(&dims[..at]), self.declared_axes(&dims[at + 1..]))
                else {
                    return Value::Error;
                };
                let given = tensor.axes();
                let mut axes = before.clone();
                if given.len() >= before.len() + after.len() {
                    axes.extend(given[before.len()..given.len() - after.len()].iter().cloned());
                }
                axes.extend(after);
                Expected { elem: Some(elem), axes }
            }
        };
        let indexed = matches!(value, Value::Indexed(_)) && expected.axes.is_empty();
        if indexed {
            return value;
        }
        let matches = match &value {
            Value::Tensor(tensor) => {
                tensor.rank() == expected.axes.len()
                    && tensor.ty.shape.iter().zip(&expected.axes).all(|(size, axis)| *size == axis.size)
            }
            _ => true,
        };
        if !matches {
            let Value::Tensor(tensor) = &value else { return Value::Error };
            if self.axes_may_fit(&tensor.axes(), &expected.axes) {
                return Value::Error;
            }
            let (found, wanted) = (Shape::of(tensor), Shape::new(elem, &expected.axes));
            let callee = callee.to_owned();
            return self.report(TypeError::Result { callee, found, wanted, at: span, declared: ty.span });
        }
        let value = self.fit(value, &expected, &what, span, ty.span);
        self.with_class(value, ty, &what, span)
    }

    /// An int that is declared as `class(n)` lies in `0..n`.
    pub fn with_class(&mut self, value: Value, ty: &ast::Type, what: &str, span: Span) -> Value {
        let TypeKind::Tensor { element, .. } = &ty.kind else { return value };
        let Some(class) = class_of(element) else { return value };
        match self.size(class, "the number of classes") {
            Some(size) => self.with_class_size(value, &size, what, span, ty.span),
            None => Value::Error,
        }
    }

    /// The n of a type `class(n)`.
    pub fn declared_class(&mut self, ty: &ast::Type) -> Option<Dim> {
        let TypeKind::Tensor { element, .. } = &ty.kind else { return None };
        self.size(class_of(element)?, "the number of classes")
    }
}
