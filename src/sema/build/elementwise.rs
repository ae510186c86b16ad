//! Elementwise operations: one map loop over tensors that broadcast, or one scalar of the loop that is being
//! written in index notation.
//!
//! Broadcasting is by missing leading dimensions, and by stretchable axes (`_`), which are read at 0.

use crate::sema::build::Builder;
use crate::sema::build::tensors::number_scalar;
use crate::sema::value::{Axis, Indexed, Tensor, Value};
use crate::sema::scope::report::shapes::{Operand as OperandOf, OperandError, differing_axis};
use crate::sema::scope::report::values::IndexedError;
use crate::base::Span;
use crate::ir::{Affine, LoopBuilder, NodeId, ScalarId, Sub};

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
    pub fn elementwise(&mut self, verb: &'static str, args: &[Arg<'_>], span: Span, write: Write<'_>) -> Value {
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
                self.report(IndexedError::Elsewhere { at: span });
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
                let (elem, axes) = (tensor.ty.elem, tensor.axes());
                self.report(IndexedError::WholeTensor { elem, axes, at: span });
                None
            }
            Value::Error => None,
            other if other.is_number() => self.with_index_body(|l| number_scalar(l, other)).flatten(),
            _ => {
                self.report(IndexedError::NotNumber { found: value.clone(), at: span });
                None
            }
        }
    }

    /// The axes of the result, or an error that shows both shapes.
    fn broadcast(
        &mut self,
        verb: &'static str,
        args: &[Arg<'_>],
        operands: &[Operand<'_>],
        span: Span,
    ) -> Option<Vec<Axis>> {
        let mut axes: Vec<Axis> = Vec::new();
        let mut from: Vec<usize> = Vec::new();
        for (at, operand) in operands.iter().enumerate() {
            let Operand::Tensor(_, tensor) = operand else { continue };
            let of_operand = tensor.axes();
            while axes.len() < of_operand.len() {
                axes.insert(0, Axis::stretchable());
                from.insert(0, usize::MAX);
            }
            let missing = axes.len() - of_operand.len();
            for (axis_at, axis) in of_operand.iter().enumerate() {
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
        verb: &'static str,
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
        let Some((_, x, y)) = differing_axis(&a, &b) else { return };
        if self.may_fit(x, y) {
            return;
        }
        let left = OperandOf::new(left, args[pair.0].span, span);
        let right = OperandOf::new(right, args[pair.1].span, span);
        let is_binary = args.len() == 2;
        self.report(OperandError::Broadcast { verb, left, right, whole: span, is_binary });
    }
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
