//! Functions that look at their arguments before they are elaborated, and at the kind of a value.

use super::{Arguments, Builtin};
use crate::base::{Diagnostic, Span};
use crate::ir::{Elem, NodeId};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::{Tensor, Value};
use crate::syntax::ast::{self, ExprKind};
use std::sync::Arc;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "kind",
        parameters: "x",
        doc: "\"float\", \"int\", \"bool\", \"list\", \"string\", \"function\", \"layer\", \"parameters\" or \"none\", known at compile time.",
        elementwise: true,
        run: |e, a| kind(e, a),
        special: Some(kind_of),
    },
    Builtin {
        name: "grad",
        parameters: "y, x",
        doc: "The derivative of sum(y) with respect to the name x, a tensor or parameters.",
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
    let Some(of) = e.to_tensor(&value, y.span) else { return Value::Error };
    if !is_float(e, &of, y.span) {
        return Value::Error;
    }
    if let Value::Parameters(set) = &variable {
        return e.gradient_by_set(&of, y.span, set, span);
    }
    let Some(wrt) = e.to_tensor(&variable, x.span).filter(|wrt| is_float(e, wrt, x.span)) else {
        return Value::Error;
    };
    let (Some(of_node), Some(wrt_node)) = (e.node(&of, y.span), e.node(&wrt, x.span)) else {
        return Value::Error;
    };
    match e.derivatives(of_node, &[wrt_node], x.span, span).as_deref() {
        None => Value::Error,
        Some([Some(node)]) => {
            let made = e.tensor(*node, span);
            Value::Tensor(Tensor { stretch: wrt.stretch, ..made })
        }
        Some(_) => {
            let text = e.text(x.span);
            let message = format!("the value does not depend on `{text}`");
            let error = Diagnostic::error("E0404", message).at(y.span, format!("computed without `{text}`"));
            e.report(
                error
                    .and_at(x.span, "the variable")
                    .note("the derivative counts what is computed from this very binding"),
            );
            Value::Error
        }
    }
}

/// Reports what is differentiated, or by what, if it is not made of floats.
fn is_float(e: &mut Elaborator<'_>, tensor: &Tensor, span: Span) -> bool {
    if tensor.ty.elem != Elem::Float {
        let message = format!("`grad` of {}s", tensor.ty.elem);
        let error = Diagnostic::error("E0405", message).at(span, "only floats have derivatives");
        e.report(error);
        return false;
    }
    true
}

impl Elaborator<'_> {
    /// The derivatives of a node by others of the same graph; `None` for what it does not depend on. The outer
    /// `None` is reported.
    pub fn derivatives(
        &mut self,
        of: NodeId,
        by: &[NodeId],
        by_span: Span,
        span: Span,
    ) -> Option<Vec<Option<NodeId>>> {
        let needed = self.graph().reachable([of]).into_iter().filter(|needed| *needed).count();
        if needed > MAX_DIFFERENTIATED {
            let message = format!("the derivative of a value of {needed} operations");
            let error = Diagnostic::error("E0122", message).at(span, "it would unfold into too much");
            self.report(error.note(
                "each order of a derivative has two to three times the operations of the one before",
            ));
            return None;
        }
        self.set_origin(span);
        crate::opt::simplify_forward(self.graph_mut(), &[of], by);
        match crate::grad::gradient(self.graph_mut(), &[(of, None)], by) {
            Ok(found) => Some(found),
            Err(error) => {
                let diagnostic = error.diagnostic(self.text(by_span));
                self.report(diagnostic.and_at(span, "the derivative is asked for here"));
                None
            }
        }
    }
}
