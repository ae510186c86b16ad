//! The matrix product `@`.

use crate::sema::build::Builder;
use crate::sema::build::elementwise::{Arg, operator_between};
use crate::sema::value::{Tensor, Value, show_axes};
use crate::base::{Diagnostic, Span};
use crate::ir::{BinaryOp, Combine, Dim, Elem, LoopBuilder};

impl Builder<'_> {
    /// `a @ b`: the last axis of a with the second-to-last, or only, axis of b. Leading axes are a batch: equal
    /// on both sides, or missing on one. A vector on either side loses its axis.
    pub fn matmul(&mut self, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        if self.in_elementwise_body() {
            return self.not_elementwise("`@`", span);
        }
        if matches!(left.value, Value::Indexed(_)) || matches!(right.value, Value::Indexed(_)) {
            let error = Diagnostic::error("E0126", "`@` of an indexed value")
                .at(span, "whole tensors are needed here");
            self.report(error.help("inside index notation a product is `sum[i](a[i] * b[i])`"));
            return Value::Error;
        }
        let (Some(a), Some(b)) =
            (self.to_tensor(left.value, left.span), self.to_tensor(right.value, right.span))
        else {
            return Value::Error;
        };
        for (tensor, arg) in [(&a, left), (&b, right)] {
            if tensor.rank() == 0 {
                let message = "`@` needs vectors or matrices, found a scalar";
                let error = Diagnostic::error("E0204", message).at(arg.span, "a scalar");
                self.report(error.help("`*` multiplies by a number"));
                return Value::Error;
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
            return self.inner_error(&a, &b, left, right, span);
        }
        let batch_a = &a.ty.shape[..a.rank().saturating_sub(2)];
        let batch_b = &b.ty.shape[..b.rank().saturating_sub(2)];
        if !batch_a.is_empty() && !batch_b.is_empty() && batch_a != batch_b {
            let (x, y) = (show_axes(Elem::Float, &a.axes()), show_axes(Elem::Float, &b.axes()));
            let error = Diagnostic::error("E0204", format!("cannot multiply {x} @ {y}"));
            let error = error.at(span, "the leading axes must be equal, or missing on one side");
            self.report(error.and_at(left.span, x).and_at(right.span, y));
            return Value::Error;
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

    fn inner_error(&mut self, a: &Tensor, b: &Tensor, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        let (x, y) = (show_axes(Elem::Float, &a.axes()), show_axes(Elem::Float, &b.axes()));
        let (m, n) = (&a.ty.shape[a.rank() - 1], &b.ty.shape[b.rank().saturating_sub(2)]);
        let which = if b.rank() >= 2 { "second-to-last" } else { "only" };
        if self.may_fit(m, n) {
            return Value::Error;
        }
        let sizes = format!("the last axis of the left is {m}, the {which} of the right is {n}");
        let mut error = Diagnostic::error("E0204", format!("cannot multiply {x} @ {y}"));
        error = match operator_between(self.text(span), span, &[left, right]) {
            Some(place) => error.at(place, format!("{x} @ {y}: {sizes}")),
            None => error.at(span, sizes).and_at(left.span, x.clone()).and_at(right.span, y.clone()),
        };
        for (arg, text, tensor) in [(left, x, a), (right, y, b)] {
            let made_elsewhere = tensor.span != arg.span && tensor.span != span;
            if made_elsewhere && tensor.span.file == arg.span.file {
                error = error.and_at(tensor.span, format!("gives {text}"));
            }
        }
        let transposed = b.rank() >= 2 && b.ty.shape[b.rank() - 1] == *m;
        let text = self.text(right.span);
        let simple = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\''));
        self.report(match transposed {
            true if simple => error.suggest("the transpose fits", right.span, format!("{text}.T")),
            true => error.help("the transpose of the right side fits: `(…).T`"),
            false => error,
        });
        Value::Error
    }
}
