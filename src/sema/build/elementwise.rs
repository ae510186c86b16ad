//! Elementwise operations: one map loop over tensors that broadcast, or one scalar of the loop that is being
//! written in index notation.
//!
//! Broadcasting is by missing leading dimensions, and by stretchable axes (`_`), which are read at 0.

use crate::sema::build::Builder;
use crate::sema::build::tensors::number_scalar;
use crate::sema::value::{Axis, Indexed, Tensor, Value, show_axes};
use crate::base::{Diagnostic, Help, Span};
use crate::ir::{Affine, LoopBuilder, NodeId, ScalarId, Sub};

/// Functions that drop an axis unless they are told to keep it.
const REDUCTIONS: [&str; 9] = ["sum", "mean", "var", "std", "prod", "max", "min", "logsumexp", "norm"];

/// An argument of an elementwise operation and its place.
#[derive(Clone, Copy)]
pub struct Arg<'v> {
    pub value: &'v Value,
    pub span: Span,
}

/// Writes the operation on scalars; the arguments are in order.
pub type Write<'f> = &'f mut dyn FnMut(&mut LoopBuilder<'_>, &[ScalarId]) -> ScalarId;

impl Builder<'_> {
    /// Elaborates an elementwise operation. `verb` names it in messages: "add", "compare".
    pub fn elementwise(&mut self, verb: &str, args: &[Arg<'_>], span: Span, write: Write<'_>) -> Value {
        if args.iter().any(|arg| arg.value.is_error()) || !self.work(span) {
            return Value::Error;
        }
        if args.iter().any(|arg| matches!(arg.value, Value::Indexed(_))) {
            return self.indexed_elementwise(args, span, write);
        }
        let mut operands = Vec::new();
        for arg in args {
            if arg.value.is_number() {
                operands.push(Operand::Number(arg.value));
                continue;
            }
            let Some(tensor) = self.to_tensor(arg.value, arg.span) else { return Value::Error };
            let Some(node) = self.node(&tensor, arg.span) else { return Value::Error };
            operands.push(Operand::Tensor(node, tensor));
        }
        let Some(axes) = self.broadcast(verb, args, &operands, span) else { return Value::Error };
        let shape = axes.iter().map(|axis| axis.size.clone()).collect();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let mut scalars = Vec::new();
        for operand in &operands {
            let scalar = match operand {
                Operand::Number(value) => number_scalar(&mut l, value),
                Operand::Tensor(node, tensor) => Some(match &tensor.affine {
                    Some(affine) => l.affine(affine.clone()),
                    None => {
                        let subs = broadcast_subs(tensor, axes.len());
                        l.read(*node, subs.into_iter().map(Sub::Affine).collect())
                    }
                }),
            };
            match scalar {
                Some(scalar) => scalars.push(scalar),
                None => return Value::Error,
            }
        }
        let result = write(&mut l, &scalars);
        let node = l.map(result);
        let mut tensor = self.add_loop(span, node);
        tensor.stretch = axes.iter().map(|axis| axis.stretch).collect();
        Value::Tensor(tensor)
    }

    /// The same inside index notation.
    fn indexed_elementwise(&mut self, args: &[Arg<'_>], span: Span, write: Write<'_>) -> Value {
        let mut scalars = Vec::new();
        for arg in args {
            match self.indexed_scalar(arg.value, arg.span) {
                Some(scalar) => scalars.push(scalar),
                None => return Value::Error,
            }
        }
        self.index_result(span, |l| write(l, &scalars))
    }

    /// Writes a scalar in the loop of the innermost index frame.
    pub fn index_result(
        &mut self,
        _span: Span,
        write: impl FnOnce(&mut LoopBuilder<'_>) -> ScalarId,
    ) -> Value {
        let Some(frame) = self.index_frames.last().map(|frame| frame.id) else { return Value::Error };
        let made = self.with_index_body(|l| {
            let id = write(l);
            (id, l.elem(id))
        });
        match made {
            Some((id, elem)) => Value::Indexed(Indexed { frame, id, elem, interval: None, field: None }),
            None => Value::Error,
        }
    }

    /// A value as a scalar of the innermost index frame. Reports what cannot be one.
    pub fn indexed_scalar(&mut self, value: &Value, span: Span) -> Option<ScalarId> {
        match value {
            Value::Indexed(scalar) => {
                if self.index_frames.last().is_some_and(|frame| frame.id == scalar.frame) {
                    return Some(scalar.id);
                }
                let error = Diagnostic::error("E0126", "an indexed value cannot be used here");
                let error = error.at(span, "this has one value for each index of another statement");
                self.report(error.help("functions of indexed values must be elementwise"));
                None
            }
            Value::Tensor(tensor) if tensor.rank() == 0 => {
                let node = self.node(tensor, span)?;
                let affine = tensor.affine.clone();
                self.with_index_body(|l| match affine {
                    Some(affine) => l.affine(affine),
                    None => l.read(node, Vec::new()),
                })
            }
            Value::Tensor(tensor) => {
                let shape = show_axes(tensor.ty.elem, &tensor.axes());
                let message = format!("a whole tensor {shape} where one value for each index is needed");
                let error = Diagnostic::error("E0126", message).at(span, format!("this is {shape}"));
                self.report(error.help(format!(
                    "give it {} in brackets",
                    crate::sema::scope::report::count(tensor.rank(), "subscript", "subscripts")
                )));
                None
            }
            Value::Error => None,
            other if other.is_number() => self.with_index_body(|l| number_scalar(l, other)).flatten(),
            other => {
                let message = format!("expected a number, found {}", other.describe());
                self.error("E0116", message, span, "one value for each index is needed here");
                None
            }
        }
    }

    /// The axes of the result, or an error that shows both shapes.
    fn broadcast(
        &mut self,
        verb: &str,
        args: &[Arg<'_>],
        operands: &[Operand<'_>],
        span: Span,
    ) -> Option<Vec<Axis>> {
        let mut axes: Vec<Axis> = Vec::new();
        let mut from: Vec<usize> = Vec::new();
        for (at, operand) in operands.iter().enumerate() {
            let Operand::Tensor(_, tensor) = operand else { continue };
            let own_axes = tensor.axes();
            while axes.len() < own_axes.len() {
                axes.insert(0, Axis::stretchable());
                from.insert(0, usize::MAX);
            }
            let missing = axes.len() - own_axes.len();
            for (axis_at, axis) in own_axes.iter().enumerate() {
                let place = missing + axis_at;
                if from[place] == usize::MAX || (axes[place].stretch && !axis.stretch) {
                    axes[place] = axis.clone();
                    from[place] = at;
                } else if !axis.stretch && axes[place].size != axis.size {
                    self.broadcast_error(verb, args, operands, (from[place], at), span);
                    return None;
                }
            }
        }
        Some(axes)
    }

    fn broadcast_error(
        &mut self,
        verb: &str,
        args: &[Arg<'_>],
        operands: &[Operand<'_>],
        pair: (usize, usize),
        span: Span,
    ) {
        let (Operand::Tensor(_, left), Operand::Tensor(_, right)) = (&operands[pair.0], &operands[pair.1])
        else {
            return;
        };
        let (a, b) = (left.axes(), right.axes());
        let (a_text, b_text) = (show_axes(left.ty.elem, &a), show_axes(right.ty.elem, &b));
        let rank = a.len().max(b.len());
        let place = |axes: &[Axis], at: usize| (at + axes.len()).checked_sub(rank).map(|it| axes[it].clone());
        let differing = (0..rank).find_map(|at| match (place(&a, at), place(&b, at)) {
            (Some(x), Some(y)) if !x.stretch && !y.stretch && x.size != y.size => Some((at, x, y)),
            _ => None,
        });
        let joint = if matches!(verb, "compare") { "with" } else { "and" };
        let mut error = Diagnostic::error("E0203", format!("cannot {verb} {a_text} {joint} {b_text}"));
        let Some((at, x, y)) = differing else { return };
        if self.may_fit(&x.size, &y.size) {
            return;
        }
        let axis = if a.len() == b.len() { format!("axis {at}") } else { from_last(rank - at) };
        let sizes = format!("{axis} is {} on the left and {} on the right", x.size, y.size);
        let operator = operator_between(self.text(span), span, args);
        error = match operator {
            Some(place) => error.at(place, format!("{a_text} {} {b_text}: {sizes}", self.text(place))),
            None => error.at(span, sizes),
        };
        for (arg, text, tensor) in [(args[pair.0], a_text, left), (args[pair.1], b_text, right)] {
            let made_elsewhere = tensor.span != arg.span && tensor.span != span;
            if operator.is_none() {
                error = error.and_at(arg.span, text.clone());
            }
            if made_elsewhere && tensor.span.file == arg.span.file {
                error = error.and_at(tensor.span, format!("gives {text}"));
            }
        }
        let fitting = [(&a, &b, args[pair.1]), (&b, &a, args[pair.0])]
            .into_iter()
            .find_map(|(long, short, arg)| self.what_fits(long, short, arg));
        if x.size.is_number(1) || y.size.is_number(1) {
            error = error.note("a dimension of size 1 does not stretch by itself");
        } else if a.len() != b.len() {
            error = error.note("shapes are aligned at their last axes; only leading axes may be missing");
        }
        self.report(match fitting {
            Some(Help { message, patch: Some((place, text)) }) => error.suggest(message, place, text),
            Some(Help { message, patch: None }) => error.help(message),
            None if x.size.is_number(1) || y.size.is_number(1) => {
                error.help("`keep = true` on a reduction or `x[:, new]` makes a dimension that stretches")
            }
            None => error,
        });
    }

    /// A suggestion for shapes of which one has one axis more: drop the axis of a column, or keep that of a
    /// reduction.
    fn what_fits(&self, long: &[Axis], short: &[Axis], shorter: Arg<'_>) -> Option<Help> {
        let without = |at: usize| {
            let mut rest = long.iter().enumerate().filter(|(it, _)| *it != at).map(|(_, axis)| &axis.size);
            long.len() == short.len() + 1 && short.iter().all(|axis| rest.next() == Some(&axis.size))
        };
        let text = self.text(shorter.span);
        let reduction = text.split_once('(').is_some_and(|(name, rest)| {
            REDUCTIONS.contains(&name) && rest.contains("axis") && !rest.contains("keep")
        });
        if reduction && text.ends_with(')') && (0..long.len()).any(without) {
            let end = Span { start: shorter.span.end - 1, end: shorter.span.end - 1, ..shorter.span };
            let message = "a reduction can keep its axis, which then stretches".to_string();
            return Some(Help { message, patch: Some((end, ", keep = true".to_string())) });
        }
        let column = long.last().is_some_and(|axis| axis.size.is_number(1)) && without(long.len().max(1) - 1);
        column.then(|| Help {
            message: "`x[:, 0]` of a column [n, 1] is a list [n], `x[:, new]` of a list is a column"
                .to_string(),
            patch: None,
        })
    }
}

/// The place of the operator between two operands.
pub fn operator_between(text: &str, span: Span, args: &[Arg<'_>]) -> Option<Span> {
    let [left, right] = args else { return None };
    let (start, end) = (left.span.end.checked_sub(span.start)?, right.span.start.checked_sub(span.start)?);
    let between = text.get(start as usize..end as usize)?;
    let operator = between.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let known = ["+", "-", "*", "/", "@", "^", "==", "!=", "<", ">", "<=", ">=", "and", "or"];
    let offset = span.start + start + between.find(operator)? as u32;
    known.contains(&operator).then(|| Span { start: offset, end: offset + operator.len() as u32, ..span })
}

enum Operand<'v> {
    Number(&'v Value),
    Tensor(NodeId, Tensor),
}

/// The subscripts that read a tensor in a loop over a shape it broadcasts to.
pub fn broadcast_subs(tensor: &Tensor, rank: usize) -> Vec<Affine> {
    let missing = rank - tensor.rank();
    let sub = |(axis, stretch): (usize, &bool)| {
        if *stretch { Affine::constant(0i64) } else { Affine::index(missing + axis) }
    };
    tensor.stretch.iter().enumerate().map(sub).collect()
}

/// The name of an axis counted from the last, which is 1.
fn from_last(place: usize) -> String {
    match place {
        1 => "the last axis".to_string(),
        2 => "the second-to-last axis".to_string(),
        _ => format!("axis {place} from the last"),
    }
}
