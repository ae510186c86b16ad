//! `print` and `expect`.

use super::saturation::tell_rounded_output;
use crate::base::Span;
use crate::ir::program::{EPOCH, Expect, Print, PrintPart};
use crate::ir::{Elem, Graph, InputKey, Op, OutputKey, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::output::OutputError;
use crate::sema::value::Value;
use crate::syntax::ast::{self, ExprKind};

pub fn print(cx: &mut Elaborator<'_>, item: &ast::Print, span: Span) -> Option<Print> {
    let (graph, parts) = evaluation(cx, |cx| {
        let mut parts = Vec::new();
        let mut fits = true;
        for (at, value) in item.values.iter().enumerate() {
            if at > 0 {
                parts.push(PrintPart::Text(" ".to_string()));
            }
            fits &= show_expr(cx, value, &mut parts).is_some();
        }
        fits.then_some(parts)
    });
    let parts = parts?;
    tell_rounded_output(cx, &graph);
    Some(Print { span, graph, parts })
}

pub fn expect(cx: &mut Elaborator<'_>, item: &ast::Expect, span: Span) -> Option<Expect> {
    let condition = cx.text(item.condition.span).to_string();
    let (graph, message) = evaluation(cx, |cx| {
        let holds = match &item.condition.kind {
            ExprKind::Binary { op, left, right, .. } if op.is_comparison() => {
                let (a, b) = (cx.expr(left, None), cx.expr(right, None));
                if a.is_error() || b.is_error() {
                    return None;
                }
                // Sizes that get their numbers later are compared then.
                let (a, b) = match (waits(&a), waits(&b)) {
                    (false, false) => (a, b),
                    _ => (later(cx, a, left.span)?, later(cx, b, right.span)?),
                };
                let whole = left.span.to(right.span);
                let holds = cx.binary(
                    *op,
                    Arg { value: &a, span: left.span },
                    Arg { value: &b, span: right.span },
                    whole,
                );
                for (name, value, span) in [("left", &a, left.span), ("right", &b, right.span)] {
                    if let Some(tensor) = cx.to_tensor(value, span) {
                        cx.graph_mut().output(name, tensor.node);
                    }
                }
                holds
            }
            _ => cx.expr(&item.condition, None),
        };
        if holds.is_error() {
            return None;
        }
        let is_bool = holds.kind() == Some("bool");
        if !is_bool {
            cx.report(OutputError::NotCondition { found: holds, at: item.condition.span });
            return None;
        }
        let tensor = cx.to_tensor(&holds, item.condition.span)?;
        debug_assert_eq!(tensor.ty.elem, Elem::Bool);
        cx.graph_mut().output("holds", tensor.node);
        let mut message = Vec::new();
        if let Some(text) = &item.message {
            show_expr(cx, text, &mut message)?;
        }
        Some(message)
    });
    let message = message?;
    tell_rounded_output(cx, &graph);
    Some(Expect { span, graph, condition, message })
}

/// Whether a number depends on a size that has none yet.
fn waits(value: &Value) -> bool {
    match value {
        Value::Int(size) => size.as_number().is_none(),
        Value::Ratio(..) => true,
        _ => false,
    }
}

/// A number as a tensor. `None` is reported.
fn later(cx: &mut Elaborator<'_>, value: Value, span: Span) -> Option<Value> {
    match value.is_number() {
        true => cx.to_tensor(&value, span).map(Value::Tensor),
        false => Some(value),
    }
}

/// Builds a graph in evaluation mode; parameters are what the `train`s before left.
pub fn evaluation<R>(
    cx: &mut Elaborator<'_>,
    build: impl FnOnce(&mut Elaborator<'_>) -> Option<R>,
) -> (Graph, Option<R>) {
    cx.begin_graph();
    cx.within(cx.context.evaluating(), |cx| {
        cx.in_new_graph(|cx| if cx.context.is_at_work() { at_work(cx, build) } else { build(cx) })
    })
}

/// Elaborates something where `step` and `epoch` are those of the training at work, unless a loop has these names.
fn at_work<R>(cx: &mut Elaborator<'_>, build: impl FnOnce(&mut Elaborator<'_>) -> R) -> R {
    let opened = cx.frame_mut().open();
    let keys = [("step", InputKey::Step), ("epoch", InputKey::field(EPOCH))];
    let [step, _] = keys.map(|(word, name)| {
        let number = cx.add(Span::NONE, Op::Input { name, ty: Type::scalar(Elem::Int) }, Vec::new());
        let number = Value::Tensor(number);
        if cx.frame().find(word).is_none() {
            cx.frame_mut().bind(word, number.clone(), Span::NONE, BindingKind::Input);
        }
        number
    });
    let result = cx.within(cx.context.at_step(step), build);
    cx.frame_mut().close(opened);
    result
}

/// What `print` shows of an expression: strings with their `{values}`, tensors, compile-time values.
fn show_expr(cx: &mut Elaborator<'_>, expr: &ast::Expr, parts: &mut Vec<PrintPart>) -> Option<()> {
    if let ExprKind::Str(pieces) = &expr.kind {
        for piece in pieces {
            match piece {
                ast::StrPiece::Text(text) => parts.push(PrintPart::Text(text.clone())),
                ast::StrPiece::Expr(inner) => show_expr(cx, inner, parts)?,
            }
        }
        return Some(());
    }
    let value = cx.expr(expr, None);
    show_value(cx, &value, expr.span, parts)
}

fn show_value(cx: &mut Elaborator<'_>, value: &Value, span: Span, parts: &mut Vec<PrintPart>) -> Option<()> {
    match value {
        Value::Error => return None,
        Value::Tensor(tensor) => {
            let node = cx.node(tensor, span)?;
            let name = OutputKey::named(cx.graph().outputs.len().to_string());
            cx.graph_mut().output(name.clone(), node);
            parts.push(PrintPart::Value(name));
        }
        Value::Tuple(items) => {
            parts.push(PrintPart::Text("(".to_string()));
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    parts.push(PrintPart::Text(", ".to_string()));
                }
                show_value(cx, item, span, parts)?;
            }
            parts.push(PrintPart::Text(")".to_string()));
        }
        // A list of numbers is shown as a tensor.
        Value::List(items) if !items.is_empty() && items.iter().any(|item| item.is_run_time()) => {
            let tensor = cx.to_tensor(value, span)?;
            return show_value(cx, &Value::Tensor(tensor), span, parts);
        }
        // The number of rows of a file is known at run time only.
        Value::Int(dim) if dim.as_number().is_none() => {
            let tensor = cx.to_tensor(value, span)?;
            return show_value(cx, &Value::Tensor(tensor), span, parts);
        }
        Value::Instance(_) | Value::Layer(_) | Value::Data(_) => {
            cx.report(OutputError::HasNoText { found: value.clone(), at: span });
            return None;
        }
        other => parts.push(PrintPart::Text(other.show())),
    }
    Some(())
}
