//! Types of tensors, and constant tensors.

use super::dim::Dim;
use super::scalar::Number;
use std::fmt;

/// What a tensor is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Elem {
    /// 32 or 64 bits, as the program's `precision` says.
    Float,
    /// A whole number of 64 bits; an operation whose result leaves them is an error. Code keeps it in 32 bits where
    /// [`super::ranges`] shows that these suffice.
    Int,
    /// One byte, 0 or 1.
    Bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    pub elem: Elem,
    pub shape: Vec<Dim>,
}

impl Type {
    pub fn new(elem: Elem, shape: Vec<Dim>) -> Type {
        Type { elem, shape }
    }

    pub fn scalar(elem: Elem) -> Type {
        Type { elem, shape: Vec::new() }
    }

    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements.
    pub fn count(&self) -> Dim {
        Dim::product(&self.shape)
    }

    /// The sizes, if all are numbers.
    pub fn static_shape(&self) -> Option<Vec<usize>> {
        self.shape.iter().map(|dim| dim.as_number().and_then(|size| usize::try_from(size).ok())).collect()
    }
}

/// A tensor known at compile time, row-major. Floats are kept with 64 bits and rounded when used.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Const {
    pub shape: Vec<usize>,
    pub data: ConstData,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ConstData {
    Float(Vec<Number>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

impl Const {
    pub fn floats(shape: Vec<usize>, values: impl IntoIterator<Item = f64>) -> Const {
        Const { shape, data: ConstData::Float(values.into_iter().map(Number).collect()) }
    }

    pub fn ints(shape: Vec<usize>, values: Vec<i64>) -> Const {
        Const { shape, data: ConstData::Int(values) }
    }

    pub fn bools(shape: Vec<usize>, values: Vec<bool>) -> Const {
        Const { shape, data: ConstData::Bool(values) }
    }

    pub fn ty(&self) -> Type {
        let elem = match self.data {
            ConstData::Float(_) => Elem::Float,
            ConstData::Int(_) => Elem::Int,
            ConstData::Bool(_) => Elem::Bool,
        };
        Type::new(elem, self.shape.iter().map(|size| Dim::from(*size)).collect())
    }
}

impl fmt::Display for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Elem::Float => "float",
            Elem::Int => "int",
            Elem::Bool => "bool",
        })
    }
}

impl fmt::Display for Type {
    /// As a user writes it: `[B, 784]`, `int[B]`, `bool[B, 2]`, `[]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.elem != Elem::Float {
            write!(f, "{}", self.elem)?;
        }
        f.write_str("[")?;
        for (at, dim) in self.shape.iter().enumerate() {
            write!(f, "{}{dim}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str("]")
    }
}
