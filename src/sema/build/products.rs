//! The matrix product `@`.

use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::report::shapes::{Operand, OperandError};
use crate::sema::scope::report::values::IndexedError;
use crate::sema::value::{Tensor, Value};
use crate::base::Span;
use crate::ir::{BinaryOp, Combine, Dim, Elem, LoopBuilder};

impl Builder<'_> {
    /// `a @ b`: the last axis of a with the second-to-last, or only, axis of b. Leading axes are a batch: equal
    /// on both sides, or missing on one. A vector on either side loses its axis.
    pub fn matmul(&mut self, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        if self.in_elementwise_body() {
            return self.not_elementwise("`@`", span);
        }
        if matches!(left.value, Value::Indexed(_)) || matches!(right.value, Value::Indexed(_)) {
            return self.report(IndexedError::InProduct { at: span });
        }
        let (Some(a), Some(b)) =
            (self.to_tensor(left.value, left.span), self.to_tensor(right.value, right.span))
        else {
            return Value::Error;
        };
        for (tensor, arg) in [(&a, left), (&b, right)] {
            if tensor.rank() == 0 {
                return self.report(OperandError::ScalarInProduct { at: arg.span });
            }
        }
        let (Some(a), Some(b)) =
            (self.with_elem(a, Elem::Float, left.span), self.with_elem(b, Elem::Float, right.span))
        else {
            return Value::Error;
        };
        let inner_a = a.ty.shape[a.rank() - 1].clone();
        let inner_b = b.ty.shape[b.rank().saturating_sub(2)].clone();
        if inner_a != inner_b {
            if self.may_fit(&inner_a, &inner_b) {
                return Value::Error;
            }
            let (left, right) = (Operand::new(&a, left.span, span), Operand::new(&b, right.span, span));
            return self.report(OperandError::Inner { left, right, whole: span });
        }
        let batch_a = &a.ty.shape[..a.rank().saturating_sub(2)];
        let batch_b = &b.ty.shape[..b.rank().saturating_sub(2)];
        if !batch_a.is_empty() && !batch_b.is_empty() && batch_a != batch_b {
            let (left, right) = (Operand::new(&a, left.span, span), Operand::new(&b, right.span, span));
            return self.report(OperandError::Batch { left, right, whole: span });
        }
        let batch: Vec<Dim> = if batch_a.is_empty() { batch_b.to_vec() } else { batch_a.to_vec() };
        self.product(&a, &b, &batch, inner_a, span)
    }

    fn product(&mut self, a: &Tensor, b: &Tensor, batch: &[Dim], inner: Dim, span: Span) -> Value {
        let (Some(x), Some(y)) = (self.node(a, span), self.node(b, span)) else { return Value::Error };
        let rows = (a.rank() >= 2).then(|| a.ty.shape[a.rank() - 2].clone());
        let columns = (b.rank() >= 2).then(|| b.ty.shape[b.rank() - 1].clone());
        let mut shape = batch.to_vec();
        let mut stretch: Vec<bool> = match a.rank() > 2 {
            true => a.stretch[..batch.len()].to_vec(),
            false if b.rank() > 2 => b.stretch[..batch.len()].to_vec(),
            false => Vec::new(),
        };
        shape.extend(rows.clone());
        stretch.extend(rows.iter().map(|_| a.stretch[a.rank() - 2]));
        shape.extend(columns.clone());
        stretch.extend(columns.iter().map(|_| b.stretch[b.rank() - 1]));
        let k = shape.len();
        let mut domain = shape.clone();
        domain.push(inner);
        let mut l = LoopBuilder::new(self.graph(), domain);
        let batch_subs = |l: &LoopBuilder<'_>, present: bool| {
            if present { (0..batch.len()).map(|axis| l.index(axis)).collect() } else { Vec::new() }
        };
        let mut a_subs: Vec<_> = batch_subs(&l, a.rank() > 2);
        if rows.is_some() {
            a_subs.push(l.index(batch.len()));
        }
        a_subs.push(l.index(k));
        let mut b_subs: Vec<_> = batch_subs(&l, b.rank() > 2);
        b_subs.push(l.index(k));
        if columns.is_some() {
            b_subs.push(l.index(k - 1));
        }
        let (x, y) = (l.read(x, a_subs), l.read(y, b_subs));
        let product = l.binary(BinaryOp::Mul, x, y);
        let write = (0..k).map(|axis| l.index(axis)).collect();
        let node = l.reduce(shape, write, Combine::Add, product);
        let made = self.add_loop(span, node);
        Value::Tensor(Tensor { stretch, ..made })
    }
}
