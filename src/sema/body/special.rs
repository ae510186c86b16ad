//! Calls of functions that look at their arguments before these are elaborated: `kind`, `grad`, `repeat`.

use crate::sema::scope::report::calls::{SpecialCallError, SpecialForm};
use crate::sema::scope::report::parameter_sets::DerivativeError;
use crate::base::Span;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::{Special, Tensor, Value};
use crate::syntax::ast::{self, ExprKind};
use std::sync::Arc;

/// `name` is the binding whose whole right side the call is.
pub fn call(
    cx: &mut Elaborator<'_>,
    function: Special,
    args: &ast::Args,
    span: Span,
    name: Option<&Arc<str>>,
) -> Value {
    match function {
        Special::Kind => kind_of(cx, args, span),
        Special::Grad => grad(cx, args, span),
        Special::Repeat => cx.repeat(args, span, name),
    }
}

/// `kind(none)` is a question like any other.
fn kind_of(cx: &mut Elaborator<'_>, args: &ast::Args, span: Span) -> Value {
    let [arg] = args.args.as_slice() else {
        return cx.report(SpecialCallError::Arguments { function: SpecialForm::Kind, at: args.span });
    };
    let value = cx.expr(&arg.value, None);
    if value.is_error() {
        return Value::Error;
    }
    match value.kind() {
        Some(kind) => Value::Str(kind.into()),
        None => cx.report(SpecialCallError::HasNoKind { found: value, at: span }),
    }
}

fn grad(cx: &mut Elaborator<'_>, args: &ast::Args, span: Span) -> Value {
    let positional: Vec<&ast::Arg> = args.positional().collect();
    let y = args.named("y").or(positional.first().copied());
    let x = args.named("x").or(positional.last().copied().filter(|_| args.args.len() == 2));
    let (Some(y), Some(x), 2) = (y, x, args.args.len()) else {
        return cx.report(SpecialCallError::Arguments { function: SpecialForm::Grad, at: args.span });
    };
    if cx.in_elementwise_body() {
        return cx.not_elementwise("`grad`", span);
    }
    let value = cx.expr(&y.value, None);
    if !matches!(x.value.kind, ExprKind::Name(_) | ExprKind::Template(_) | ExprKind::Field { .. }) {
        return cx.report(DerivativeError::NotName { at: x.span });
    }
    let variable = cx.expr(&x.value, None);
    if value.is_error() || variable.is_error() {
        return Value::Error;
    }
    let Some(of) = cx.to_tensor(&value, y.span) else { return Value::Error };
    if !cx.is_differentiable(&of, y.span) {
        return Value::Error;
    }
    if let Value::Parameters(set) = &variable {
        return cx.gradient_by_set(&of, y.span, set, span);
    }
    let Some(wrt) = cx.to_tensor(&variable, x.span).filter(|wrt| cx.is_differentiable(wrt, x.span)) else {
        return Value::Error;
    };
    let (Some(of_node), Some(wrt_node)) = (cx.node(&of, y.span), cx.node(&wrt, x.span)) else {
        return Value::Error;
    };
    cx.tell_other_arguments(&y.value, &x.value, wrt_node, span);
    match cx.derivatives(of_node, &[wrt_node], x.span, span).as_deref() {
        None => Value::Error,
        Some([Some(node)]) => {
            let made = cx.tensor(*node, span);
            Value::Tensor(Tensor { stretch: wrt.stretch, ..made })
        }
        Some(_) => {
            cx.report(DerivativeError::Independent { variable: x.span, at: y.span })
        }
    }
}
