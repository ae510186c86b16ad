//! Values of tensors.

use super::Real;
use crate::ir::types::{Const, ConstData, Elem, Type};
use crate::ir::{Combine, Dim};

/// A tensor in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor<F> {
    pub shape: Vec<usize>,
    pub data: Data<F>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Data<F> {
    Float(Vec<F>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

/// One element.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Cell<F> {
    Float(F),
    Int(i64),
    Bool(bool),
}

impl<F: Real> Tensor<F> {
    pub fn floats(shape: Vec<usize>, values: Vec<F>) -> Tensor<F> {
        Tensor { shape, data: Data::Float(values) }
    }

    pub fn ints(shape: Vec<usize>, values: Vec<i64>) -> Tensor<F> {
        Tensor { shape, data: Data::Int(values) }
    }

    pub fn bools(shape: Vec<usize>, values: Vec<bool>) -> Tensor<F> {
        Tensor { shape, data: Data::Bool(values) }
    }

    pub fn zeros(elem: Elem, shape: Vec<usize>) -> Tensor<F> {
        let count = shape.iter().product();
        Tensor { shape, data: Data::zeros(elem, count) }
    }

    /// Floats are rounded.
    pub fn from_const(value: &Const) -> Tensor<F> {
        let data = match &value.data {
            ConstData::Float(values) => Data::Float(values.iter().map(|v| F::from_f64(v.0)).collect()),
            ConstData::Int(values) => Data::Int(values.clone()),
            ConstData::Bool(values) => Data::Bool(values.clone()),
        };
        Tensor { shape: value.shape.clone(), data }
    }

    pub fn ty(&self) -> Type {
        Type::new(self.data.elem(), self.shape.iter().map(|size| Dim::from(*size)).collect())
    }

    /// The elements as 64-bit floats, whatever they are; bools are 0 or 1.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.data {
            Data::Float(values) => values.iter().map(|v| v.to_f64()).collect(),
            Data::Int(values) => values.iter().map(|v| *v as f64).collect(),
            Data::Bool(values) => values.iter().map(|v| f64::from(u8::from(*v))).collect(),
        }
    }
}

impl<F: Real> Data<F> {
    pub fn len(&self) -> usize {
        match self {
            Data::Float(values) => values.len(),
            Data::Int(values) => values.len(),
            Data::Bool(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn elem(&self) -> Elem {
        match self {
            Data::Float(_) => Elem::Float,
            Data::Int(_) => Elem::Int,
            Data::Bool(_) => Elem::Bool,
        }
    }

    pub(super) fn zeros(elem: Elem, count: usize) -> Data<F> {
        match elem {
            Elem::Float => Data::Float(vec![F::from_f64(0.0); count]),
            Elem::Int => Data::Int(vec![0; count]),
            Elem::Bool => Data::Bool(vec![false; count]),
        }
    }

    /// The elements of a result to which nothing has been written yet.
    pub(super) fn identity(combine: Combine, elem: Elem, count: usize) -> Data<F> {
        match (combine, elem) {
            (Combine::Mul, Elem::Float) => Data::Float(vec![F::from_f64(1.0); count]),
            (Combine::Mul, Elem::Int) => Data::Int(vec![1; count]),
            (Combine::Max | Combine::ArgMax, Elem::Float) => {
                Data::Float(vec![F::from_f64(f64::NEG_INFINITY); count])
            }
            (Combine::Max | Combine::ArgMax, Elem::Int) => Data::Int(vec![i64::MIN; count]),
            (Combine::Min | Combine::ArgMin, Elem::Float) => {
                Data::Float(vec![F::from_f64(f64::INFINITY); count])
            }
            (Combine::Min | Combine::ArgMin, Elem::Int) => Data::Int(vec![i64::MAX; count]),
            (Combine::Mul | Combine::Min | Combine::ArgMin, Elem::Bool) => Data::Bool(vec![true; count]),
            (Combine::Set | Combine::Add, _) | (Combine::Max | Combine::ArgMax, Elem::Bool) => {
                Data::zeros(elem, count)
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Cell<F> {
        match self {
            Data::Float(values) => Cell::Float(values[at]),
            Data::Int(values) => Cell::Int(values[at]),
            Data::Bool(values) => Cell::Bool(values[at]),
        }
    }

    /// Overwrites the elements from `at` on; `false` if types or sizes do not fit.
    pub(super) fn put(&mut self, at: usize, values: &Data<F>) -> bool {
        if at + values.len() > self.len() {
            return false;
        }
        match (self, values) {
            (Data::Float(elements), Data::Float(values)) => {
                elements[at..at + values.len()].copy_from_slice(values)
            }
            (Data::Int(elements), Data::Int(values)) => {
                elements[at..at + values.len()].copy_from_slice(values)
            }
            (Data::Bool(elements), Data::Bool(values)) => {
                elements[at..at + values.len()].copy_from_slice(values)
            }
            _ => return false,
        }
        true
    }
}

impl<F: Real> Cell<F> {
    pub fn zero(elem: Elem) -> Cell<F> {
        match elem {
            Elem::Float => Cell::Float(F::from_f64(0.0)),
            Elem::Int => Cell::Int(0),
            Elem::Bool => Cell::Bool(false),
        }
    }
}
