//! What writing nodes depends on: where symbolic sizes and the steps of scans are found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::graph::Value;
use super::writer::Writer;
use crate::ir::interpret::Tensor;
use crate::ir::{Atom, Dim, StepId, Symbol};

/// Why a node cannot be written: what it does, in words.
pub type Made<T> = Result<T, String>;

pub struct Cx {
    pub writer: Writer,
    /// A tensor with this size, and the axis that has it.
    pub symbols: BTreeMap<Symbol, (Value, usize)>,
    /// The counters of the enclosing scans, with the number of their steps.
    pub steps: BTreeMap<StepId, (Value, Dim)>,
    /// The shapes of tensors, where they are known.
    pub shapes: BTreeMap<Arc<str>, Vec<Dim>>,
    /// Of a tensor that has another shape: the tensor that it is, and its shape.
    pub reshaped: BTreeMap<Arc<str>, (Value, Vec<Dim>)>,
}

impl Cx {
    pub fn new(writer: Writer) -> Cx {
        Cx {
            writer,
            symbols: BTreeMap::new(),
            steps: BTreeMap::new(),
            shapes: BTreeMap::new(),
            reshaped: BTreeMap::new(),
        }
    }

    /// A size as a list of one int.
    pub fn size(&mut self, dim: &Dim) -> Made<Value> {
        if let Some(number) = dim.as_number() {
            return Ok(self.writer.ints(&[number]));
        }
        let mut sum: Option<Value> = None;
        for (factors, coefficient) in dim.terms() {
            let mut product: Option<Value> =
                (coefficient != 1 || factors.is_empty()).then(|| self.writer.ints(&[coefficient]));
            for (atom, power) in factors {
                let factor = self.atom(&atom)?;
                for _ in 0..power {
                    product = Some(match product {
                        Some(product) => self.writer.binary("Mul", &product, &factor),
                        None => factor.clone(),
                    });
                }
            }
            sum = match (sum, product) {
                (Some(sum), Some(product)) => Some(self.writer.binary("Add", &sum, &product)),
                (sum, product) => sum.or(product),
            };
        }
        Ok(sum.unwrap_or_else(|| self.writer.ints(&[0])))
    }

    fn atom(&mut self, atom: &Atom) -> Made<Value> {
        let (a, b, op) = match atom {
            Atom::Symbol(name) => {
                let Some((value, axis)) = self.symbols.get(name).cloned() else {
                    return Err(format!("the size `{name}` is not that of an input"));
                };
                let shape = self.writer.shape_of(&value);
                let at = self.writer.ints(&[axis as i64]);
                return Ok(self.writer.gather(&shape, &at, 0));
            }
            // Sizes are not negative, so that a division rounds down.
            Atom::Floor(a, b) | Atom::Exact(a, b) => (a, b, "Div"),
            Atom::Min(a, b) => (a, b, "Min"),
            Atom::Max(a, b) => (a, b, "Max"),
        };
        let (a, b) = (self.size(a)?, self.size(b)?);
        Ok(self.writer.binary(op, &a, &b))
    }

    /// A size as an int.
    pub fn size_scalar(&mut self, dim: &Dim) -> Made<Value> {
        if let Some(number) = dim.as_number() {
            return Ok(self.writer.int(number));
        }
        let size = self.size(dim)?;
        Ok(self.writer.squeeze(&size, &[0]))
    }

    /// Sizes as a list of ints.
    pub fn sizes(&mut self, dims: &[Dim]) -> Made<Value> {
        let numbers: Option<Vec<i64>> = dims.iter().map(Dim::as_number).collect();
        if let Some(numbers) = numbers {
            return Ok(self.writer.ints(&numbers));
        }
        let parts = dims.iter().map(|dim| self.size(dim)).collect::<Made<Vec<Value>>>()?;
        Ok(self.writer.concat(&parts, 0))
    }

    /// The tensor with another shape of as many elements.
    pub fn reshape(&mut self, a: &Value, from: &[Dim], to: &[Dim]) -> Made<Value> {
        if from == to {
            return Ok(a.clone());
        }
        if let Some((a, from)) = self.reshaped.get(&a.name).cloned() {
            return self.reshape(&a, &from, to);
        }
        if let Some((a, from)) = self.with_single_axes(a, from) {
            return self.reshape(&a, &from, to);
        }
        let numbers: Option<Vec<usize>> =
            to.iter().map(|dim| dim.as_number().and_then(|size| usize::try_from(size).ok())).collect();
        if let (Some(tensor), Some(shape)) = (self.writer.known(a).cloned(), numbers) {
            let wanted = a.name.to_string();
            let data = tensor.data.clone();
            return Ok(self.writer.constant(&wanted, Arc::new(Tensor { shape, data })));
        }
        // A size may be copied from the same place, and one be what is left.
        let is_empty = to.iter().any(|dim| dim.is_number(0));
        let mut open = to.iter().enumerate().filter(|(at, dim)| dim.as_number().is_none() && from.get(*at) != Some(*dim));
        let shape = match (open.next(), open.next()) {
            (_, None) if !is_empty => {
                let simple: Vec<i64> = to
                    .iter()
                    .enumerate()
                    .map(|(at, dim)| dim.as_number().unwrap_or(if from.get(at) == Some(dim) { 0 } else { -1 }))
                    .collect();
                self.writer.ints(&simple)
            }
            _ => self.sizes(to)?,
        };
        let made = self.writer.node("Reshape", &[a, &shape], Vec::new(), a.ty, to.len());
        self.reshaped.insert(made.name.clone(), (a.clone(), from.to_vec()));
        Ok(made)
    }

    /// The tensor that this one is but for axes of size 1, and its shape.
    fn with_single_axes(&self, a: &Value, shape: &[Dim]) -> Option<(Value, Vec<Dim>)> {
        let node = self.writer.producer(a)?;
        let axes = self.writer.known_ints(node.input(1)?)?;
        let mut shape = shape.to_vec();
        match node.op {
            "Squeeze" => axes.iter().try_for_each(|axis| {
                let axis = usize::try_from(*axis).ok().filter(|axis| *axis <= shape.len())?;
                shape.insert(axis, Dim::ONE);
                Some(())
            })?,
            "Unsqueeze" => axes.iter().rev().try_for_each(|axis| {
                let axis = usize::try_from(*axis).ok().filter(|axis| *axis < shape.len())?;
                shape.remove(axis);
                Some(())
            })?,
            _ => return None,
        }
        Some((node.input(0)?.clone(), shape))
    }

    /// The tensor repeated along axes where it has the size 1, or that it lacks at its beginning.
    pub fn expand(&mut self, a: &Value, to: &[Dim]) -> Made<Value> {
        let shape = self.sizes(to)?;
        Ok(self.writer.node("Expand", &[a, &shape], Vec::new(), a.ty, to.len()))
    }

    /// `0 … size - 1`.
    pub fn range(&mut self, size: &Dim) -> Made<Value> {
        if let Some(number) = size.as_number().filter(|number| *number <= 1 << 16) {
            return Ok(self.writer.constant("range", Arc::new(Tensor::ints(vec![number.max(0) as usize], (0..number).collect()))));
        }
        let (zero, one, end) = (self.writer.int(0), self.writer.int(1), self.size_scalar(size)?);
        Ok(self.writer.node("Range", &[&zero, &end, &one], Vec::new(), end.ty, 1))
    }
}
