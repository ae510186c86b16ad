//! Types and the dimensions in them.

use crate::base::Span;

use super::{Expr, Name};

#[derive(Clone, Debug)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `[B, 784]`, `int[B, T]`, `class(10)`, `float`; a scalar has no dimensions.
    Tensor { element: Element, dims: Vec<Dim> },
    /// `([B, 2], [B])`, results only.
    Tuple(Vec<Type>),
}

#[derive(Clone, Debug)]
pub enum Element {
    Float,
    Int,
    Bool,
    /// `class(n)`: an int known to lie in `0..n`.
    Class(Box<Expr>),
}

#[derive(Clone, Debug)]
pub struct Dim {
    pub kind: DimKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum DimKind {
    /// A whole number, a name or arithmetic on them.
    Size(Expr),
    /// `...` or `...s`
    Pack(Option<Name>),
    /// `_`, a size 1 that stretches.
    Stretch,
}
