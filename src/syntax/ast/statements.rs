//! Blocks and statements.

use crate::base::Span;

use super::{Doc, Expr, Name, Otherwise, Path, Type};

/// Statements and the value of the last expression. The blocks of `if` and `for` are no scopes.
#[derive(Clone, Debug)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// The last expression. An `if` block in last place is the value if it has an `else` and
    /// every branch has a value; otherwise it is a [`StatementKind::If`].
    pub value: Option<Box<Expr>>,
    /// With its braces, or the expression after `=`.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub doc: Option<Doc>,
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `name = expr`, `name: type = expr`, `fc{l} = expr`, `features.{3} = expr`
    Bind {
        target: Path,
        ty: Option<Type>,
        value: Expr,
    },
    /// `(a, _, c) = expr`; `None` stands for `_`.
    Unpack {
        names: Vec<Option<Name>>,
        pattern_span: Span,
        value: Expr,
    },
    /// `y[b, o] = expr`, `y[dst[e], d] += expr`
    Define(IndexDefinition),
    /// `name <- expr`
    Update {
        target: Path,
        value: Expr,
    },
    /// `z: [N, D]`: declared, all zeros.
    Declare {
        name: Name,
        ty: Type,
    },
    /// `param name: type = expr [frozen]`
    Param {
        name: Path,
        ty: Option<Type>,
        value: Option<Expr>,
        frozen: Option<Span>,
    },
    /// `state name[: type] = expr`
    State {
        name: Path,
        ty: Option<Type>,
        value: Option<Expr>,
    },
    /// `carry name[: type] = expr`
    Carry {
        name: Name,
        ty: Option<Type>,
        value: Option<Expr>,
    },
    /// `collect name = expr along axis`; `collect h along 1` collects `h` under its own name.
    Collect {
        name: Name,
        value: Expr,
        axis: Option<Expr>,
    },
    Scan(Scan),
    /// `require cond, "message"`, or `advise cond, "message"`
    Require {
        condition: Expr,
        message: Option<Expr>,
        is_advice: bool,
    },
    For(For),
    /// An `if` block that is not a value.
    If(Box<IfBlock>),
    /// An expression that is neither bound nor last, reported already.
    Stray(Expr),
}

#[derive(Clone, Debug)]
pub struct IndexDefinition {
    pub name: Name,
    pub subscripts: Vec<TargetSubscript>,
    /// `else skip` at the end of the list: what would be written outside is dropped.
    pub otherwise: Option<Otherwise>,
    /// The whole left-hand side.
    pub target_span: Span,
    pub op: DefineOp,
    pub op_span: Span,
    pub value: Expr,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefineOp {
    /// `=`
    Set,
    /// `+=`
    Add,
}

#[derive(Clone, Debug)]
pub struct TargetSubscript {
    pub kind: TargetSubscriptKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TargetSubscriptKind {
    /// A bare name, always an index; `i < N` writes its range.
    Index(Index),
    /// `...s`: a pack of indices.
    Pack(Name),
    /// `S*i + u`, `0`, `dst[e]`
    Expr(Expr),
}

/// An index introduced by a left-hand side or a reducer, with its range if that is written.
#[derive(Clone, Debug)]
pub struct Index {
    pub name: Name,
    pub bound: Option<Expr>,
}

/// `scan [reverse] t < T { … }`
#[derive(Clone, Debug)]
pub struct Scan {
    /// The span of the word `reverse`.
    pub reverse: Option<Span>,
    pub variable: Name,
    pub bound: Expr,
    pub body: Block,
    /// `scan t < T`, without the body.
    pub header_span: Span,
}

/// `for l in 0..n { … }`
#[derive(Clone, Debug)]
pub struct For {
    pub variable: Name,
    pub over: ForRange,
    pub body: Block,
}

#[derive(Clone, Debug)]
pub enum ForRange {
    /// `start..end`, without `end`.
    Range { start: Expr, end: Expr },
    /// The elements of a compile-time list.
    List(Expr),
}

/// `if c { … } else if d { … } else { … }`
#[derive(Clone, Debug)]
pub struct IfBlock {
    /// At least one.
    pub branches: Vec<IfBranch>,
    pub otherwise: Option<Block>,
}

#[derive(Clone, Debug)]
pub struct IfBranch {
    pub condition: Expr,
    pub body: Block,
}
