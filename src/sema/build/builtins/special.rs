//! Functions that look at their arguments before they are elaborated, and at the kind of a value.

use super::{Arguments, Builtin};
use crate::base::{Diagnostic, Span};
use crate::ir::Elem;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::{Tensor, Value};
use crate::syntax::ast::{self, ExprKind};
use std::sync::Arc;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "kind",
        parameters: "x",
        doc: "\"float\", \"int\", \"bool\", \"list\", \"string\", \"function\", \"layer\" or \"none\", known at compile time.",
        elementwise: true,
        run: |e, a| kind(e, a),
        special: Some(kind_of),
    },
    Builtin {
        name: "grad",
        parameters: "y, x",
        doc: "The derivative of sum(y) with respect to the name x.",
        elementwise: false,
        run: |e, a| e.error("E0116", "`grad` is called with a name", a.span, "`grad(y, x)`"),
        special: Some(grad),
    },
    Builtin {
        name: "repeat",
        parameters: "n, layer",
        doc: "n instances in a row, called 0, 1, … inside it.",
        elementwise: false,
        run: |e, a| e.error("E0116", "`repeat` is called with a new layer", a.span, "`repeat(3, Block(8))`"),
        special: Some(repeat),
    },
];

fn kind(e: &mut Elaborator<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    match x.value.kind() {
        Some(kind) => Value::Str(kind.into()),
        None => e.error("E0116", format!("{} has no kind", x.value.describe()), x.span, "not a single value"),
    }
}

/// `kind(none)` is a question like any other.
fn kind_of(e: &mut Elaborator<'_>, args: &ast::Args, span: Span, _name: Option<&Arc<str>>) -> Value {
    let [arg] = args.args.as_slice() else {
        return e.error("E0106", "`kind` takes one argument", args.span, "`kind(x)`");
    };
    let value = e.expr(&arg.value, None);
    if value.is_error() {
        return Value::Error;
    }
    match value.kind() {
        Some(kind) => Value::Str(kind.into()),
        None => e.error("E0116", format!("{} has no kind", value.describe()), span, "not a single value"),
    }
}

fn repeat(e: &mut Elaborator<'_>, args: &ast::Args, span: Span, name: Option<&Arc<str>>) -> Value {
    e.repeat(args, span, name)
}

/// Values of more operations than this are not differentiated: high orders grow without end.
const MAX_DIFFERENTIATED: usize = 5_000;

fn grad(e: &mut Elaborator<'_>, args: &ast::Args, span: Span, _name: Option<&Arc<str>>) -> Value {
    let positional: Vec<&ast::Arg> = args.positional().collect();
    let y = args.named("y").or(positional.first().copied());
    let x = args.named("x").or(positional.last().copied().filter(|_| args.args.len() == 2));
    let (Some(y), Some(x), 2) = (y, x, args.args.len()) else {
        return e.error("E0106", "`grad` takes a value and a name", args.span, "`grad(y, x)`");
    };
    if e.in_elementwise_body() {
        return e.not_elementwise("`grad`", span);
    }
    let value = e.expr(&y.value, None);
    if !matches!(x.value.kind, ExprKind::Name(_) | ExprKind::Template(_) | ExprKind::Field { .. }) {
        let error =
            Diagnostic::error("E0405", "the variable of `grad` must be a name").at(x.span, "not a name");
        e.report(error.help("bind it first: `x = …`, then use x in y"));
        return Value::Error;
    }
    let variable = e.expr(&x.value, None);
    if value.is_error() || variable.is_error() {
        return Value::Error;
    }
    let (Some(of), Some(wrt)) = (e.to_tensor(&value, y.span), e.to_tensor(&variable, x.span)) else {
        return Value::Error;
    };
    for (tensor, arg) in [(&of, y), (&wrt, x)] {
        if tensor.ty.elem != Elem::Float {
            let message = format!("`grad` of {}s", tensor.ty.elem);
            let error = Diagnostic::error("E0405", message).at(arg.span, "only floats have derivatives");
            e.report(error);
            return Value::Error;
        }
    }
    let (Some(of_node), Some(wrt_node)) = (e.node(&of, y.span), e.node(&wrt, x.span)) else {
        return Value::Error;
    };
    let needed = e.graph().reachable([of_node]).into_iter().filter(|needed| *needed).count();
    if needed > MAX_DIFFERENTIATED {
        let message = format!("the derivative of a value of {needed} operations");
        let error = Diagnostic::error("E0122", message).at(span, "it would unfold into too much");
        e.report(
            error.note("each order of a derivative has two to three times the operations of the one before"),
        );
        return Value::Error;
    }
    e.set_origin(span);
    crate::opt::simplify_forward(e.graph_mut(), &[of_node], &[wrt_node]);
    match crate::grad::gradient(e.graph_mut(), &[(of_node, None)], &[wrt_node]) {
        Ok(found) => match found.into_iter().next().flatten() {
            Some(node) => {
                let made = e.tensor(node, span);
                Value::Tensor(Tensor { stretch: wrt.stretch, ..made })
            }
            None => {
                let text = e.text(x.span);
                let message = format!("the value does not depend on `{text}`");
                let error =
                    Diagnostic::error("E0404", message).at(y.span, format!("computed without `{text}`"));
                e.report(
                    error
                        .and_at(x.span, "the variable")
                        .note("the derivative counts what is computed from this very binding"),
                );
                Value::Error
            }
        },
        Err(error) => {
            let diagnostic = error.diagnostic(e.text(x.span));
            e.report(diagnostic.and_at(span, "the derivative is asked for here"));
            Value::Error
        }
    }
}
