//! The losses of `minimize` lines, and the numbers that losses and metrics are.

use crate::base::Span;
use crate::ir::{Elem, InputKey, Op, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::losses::{BatchNumber, BatchNumberError, MinimizeError};
use crate::sema::value::{Function, Tensor, Value};
use crate::syntax::ast;

/// Elaborates something where `step` is the number of the training step, unless a field has that name.
fn with_step<'a, R>(
    cx: &mut Elaborator<'a>,
    keyword: Span,
    run: impl FnOnce(&mut Elaborator<'a>) -> R,
) -> R {
    let step = Value::Tensor(step_input(cx, keyword));
    let opened = cx.frame_mut().open();
    if cx.frame().find("step").is_none() {
        cx.frame_mut().bind("step", step.clone(), keyword, BindingKind::Input);
    }
    let result = cx.within(cx.context.at_step(step), run);
    cx.frame_mut().close(opened);
    result
}

/// The loss of a line, a float scalar, which may depend on the step. `keyword` is where the training begins. `None` is
/// reported.
pub fn loss_of_line(cx: &mut Elaborator<'_>, keyword: Span, line: &ast::Minimize) -> Option<Tensor> {
    with_step(cx, keyword, |cx| loss_at_step(cx, line))
}

fn loss_at_step(cx: &mut Elaborator<'_>, line: &ast::Minimize) -> Option<Tensor> {
    if let ast::ExprKind::Call { callee, .. } = &line.loss.kind
        && let Some(name) = callee.as_name()
        && let Some(Value::Function(Function::Item(item))) = cx.global(name, callee.span)
        && item.role() == Some(ast::Role::Metric)
    {
        cx.report(MinimizeError::MetricAsLoss { name: name.clone(), at: line.loss.span });
        return None;
    }
    let value = cx.expr(&line.loss, None);
    if value.kind() == Some("bool") {
        cx.report(MinimizeError::Bool { found: value, at: line.loss.span });
        return None;
    }
    scalar_node(cx, &value, line.loss.span, BatchNumber::Loss)
}

/// The number of the training step.
pub fn step_input(cx: &mut Elaborator<'_>, keyword: Span) -> Tensor {
    let ty = Type::scalar(Elem::Int);
    cx.add(keyword, Op::Input { name: InputKey::Step, ty }, Vec::new())
}

/// A loss or a metric as the node of a float scalar. `None` is reported.
pub fn scalar_node(
    cx: &mut Elaborator<'_>,
    value: &Value,
    at: Span,
    of: BatchNumber,
) -> Option<Tensor> {
    if value.is_error() {
        return None;
    }
    if !value.is_number() && !matches!(value, Value::Tensor(_)) {
        cx.report(BatchNumberError::NotNumber { of, found: value.clone(), at });
        return None;
    }
    let tensor = cx.to_tensor(value, at)?;
    if tensor.rank() > 0 {
        cx.report(BatchNumberError::NotScalar { of, found: value.clone(), at });
        return None;
    }
    let mut tensor = cx.with_elem(tensor, Elem::Float, at)?;
    tensor.node = cx.node(&tensor, at)?;
    Some(tensor)
}
