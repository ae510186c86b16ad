//! Nodes that are written often, with what their values are.

use super::graph::{Attribute, Ty, Value};
use super::tensors::permuted;
use super::writer::Writer;
use std::sync::Arc;

impl Writer {
    /// An operation of one tensor, element by element.
    pub fn unary(&mut self, op: &'static str, a: &Value) -> Value {
        self.node(op, &[a], Vec::new(), a.ty, a.rank)
    }

    /// An operation of two tensors of one type, which are spread over each other's axes.
    pub fn binary(&mut self, op: &'static str, a: &Value, b: &Value) -> Value {
        self.node(op, &[a, b], Vec::new(), a.ty, a.rank.max(b.rank))
    }

    /// The same with a truth value as result.
    pub fn compare(&mut self, op: &'static str, a: &Value, b: &Value) -> Value {
        self.node(op, &[a, b], Vec::new(), Ty::Bool, a.rank.max(b.rank))
    }

    pub fn choose(&mut self, condition: &Value, then: &Value, otherwise: &Value) -> Value {
        let rank = condition.rank.max(then.rank).max(otherwise.rank);
        self.node("Where", &[condition, then, otherwise], Vec::new(), then.ty, rank)
    }

    pub fn cast(&mut self, a: &Value, ty: Ty) -> Value {
        if a.ty == ty {
            return a.clone();
        }
        self.node("Cast", &[a], vec![("to", Attribute::Int(ty.number()))], ty, a.rank)
    }

    /// Axes in another order: axis `at` of the result is axis `order[at]`.
    pub fn transpose(&mut self, a: &Value, order: &[usize]) -> Value {
        if order.iter().enumerate().all(|(at, from)| at == *from) {
            return a.clone();
        }
        if let Some(tensor) = self.known(a).cloned() {
            let wanted = format!("{}.T", self.base(&a.name));
            return self.constant(&wanted, Arc::new(permuted(&tensor, order)));
        }
        let inner = self.made_by(a, "Transpose").and_then(|node| {
            let before = node.ints("perm")?;
            let both = order.iter().map(|at| before.get(*at).map(|from| *from as usize)).collect::<Option<Vec<_>>>()?;
            Some((node.input(0)?.clone(), both))
        });
        if let Some((a, order)) = inner {
            return self.transpose(&a, &order);
        }
        let perm = order.iter().map(|at| *at as i64).collect();
        self.node("Transpose", &[a], vec![("perm", Attribute::Ints(perm))], a.ty, a.rank)
    }

    /// New axes of size 1, at these places of the result.
    pub fn unsqueeze(&mut self, a: &Value, axes: &[usize]) -> Value {
        if axes.is_empty() {
            return a.clone();
        }
        let list: Vec<i64> = axes.iter().map(|axis| *axis as i64).collect();
        let places = self.ints(&list);
        self.node("Unsqueeze", &[a, &places], Vec::new(), a.ty, a.rank + axes.len())
    }

    /// Without these axes, which have the size 1.
    pub fn squeeze(&mut self, a: &Value, axes: &[usize]) -> Value {
        if axes.is_empty() {
            return a.clone();
        }
        let list: Vec<i64> = axes.iter().map(|axis| *axis as i64).collect();
        let places = self.ints(&list);
        self.node("Squeeze", &[a, &places], Vec::new(), a.ty, a.rank.saturating_sub(axes.len()))
    }

    /// Elements of an axis by their numbers, which take the place of the axis.
    pub fn gather(&mut self, a: &Value, numbers: &Value, axis: usize) -> Value {
        let attributes = vec![("axis", Attribute::Int(axis as i64))];
        self.node("Gather", &[a, numbers], attributes, a.ty, (a.rank + numbers.rank).saturating_sub(1))
    }

    /// Elements combined over axes.
    pub fn reduce(&mut self, op: &'static str, a: &Value, axes: &[usize], keep: bool) -> Value {
        if axes.is_empty() {
            return a.clone();
        }
        let list: Vec<i64> = axes.iter().map(|axis| *axis as i64).collect();
        let rank = if keep { a.rank } else { a.rank.saturating_sub(axes.len()) };
        let kept = ("keepdims", Attribute::Int(i64::from(keep)));
        if op == "ReduceSum" {
            let places = self.ints(&list);
            return self.node(op, &[a, &places], vec![kept], a.ty, rank);
        }
        self.node(op, &[a], vec![("axes", Attribute::Ints(list)), kept], a.ty, rank)
    }

    /// The axes of a reduction.
    pub fn reduced_axes(&self, node: &super::graph::Node) -> Option<Vec<i64>> {
        match node.op {
            "ReduceSum" => self.known_ints(node.input(1)?),
            _ => node.ints("axes").map(<[i64]>::to_vec),
        }
    }

    pub fn matmul(&mut self, a: &Value, b: &Value) -> Value {
        let rank = match (a.rank, b.rank) {
            (1, 1) => 0,
            (1, n) | (n, 1) => n - 1,
            (m, n) => m.max(n),
        };
        self.node("MatMul", &[a, b], Vec::new(), a.ty, rank)
    }
}

impl Writer {
    /// The sizes of a tensor as a list of ints.
    pub fn shape_of(&mut self, a: &Value) -> Value {
        self.node("Shape", &[a], Vec::new(), Ty::I64, 1)
    }

    pub fn concat(&mut self, parts: &[Value], axis: i64) -> Value {
        if let [one] = parts {
            return one.clone();
        }
        let parts: Vec<&Value> = parts.iter().collect();
        let (ty, rank) = parts.first().map_or((Ty::I64, 1), |first| (first.ty, first.rank));
        self.node("Concat", &parts, vec![("axis", Attribute::Int(axis))], ty, rank)
    }
}

impl Writer {
    /// The tensor with elements around it: how many before each axis, then how many after each; zeros, or a value.
    pub fn pad(&mut self, a: &Value, widths: &Value, with: Option<&Value>) -> Value {
        match (with, a.ty) {
            (Some(with), _) => self.node("Pad", &[a, widths, with], Vec::new(), a.ty, a.rank),
            // Not every runtime pads truth values.
            (None, Ty::Bool) => {
                let ints = self.cast(a, Ty::I64);
                let padded = self.node("Pad", &[&ints, widths], Vec::new(), Ty::I64, a.rank);
                self.cast(&padded, Ty::Bool)
            }
            (None, _) => self.node("Pad", &[a, widths], Vec::new(), a.ty, a.rank),
        }
    }

    /// Every so many elements of some axes.
    pub fn slice(&mut self, a: &Value, starts: &Value, ends: &Value, axes: &[i64], steps: &[i64]) -> Value {
        let (axes, steps) = (self.ints(axes), self.ints(steps));
        self.node("Slice", &[a, starts, ends, &axes, &steps], Vec::new(), a.ty, a.rank)
    }
}
